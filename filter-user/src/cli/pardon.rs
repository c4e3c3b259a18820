//! `palisade forgive`, `palisade report-false-positive` and `palisade exception`.

use super::output::Output;
use super::render::{table_or, when};
use super::show_done;
use crate::classify::decision::exception::Exception;
use crate::classify::decision::{Whom, WhomError};
use crate::control::api::{FalsePositive, Forgive};
use crate::control::client::Client;
use anyhow::Result;
use axum::http::Method;
use clap::Subcommand;

/// What can be typed about exceptions.
#[derive(Debug, Subcommand)]
pub(super) enum ExceptionCommand {
    /// Show them.
    Ls,
    /// Take one back.
    Del {
        /// An address, a prefix or a JA4.
        #[arg(value_parser = whom)]
        whom: String,
    },
}

/// Whom something is about, as it was typed.
pub(super) fn whom(text: &str) -> Result<String, WhomError> {
    text.parse::<Whom>().map(|whom| whom.to_string())
}

/// Lifts what was decided about somebody.
pub(super) async fn forgive(client: &Client, output: Output, whom: String) -> Result<()> {
    let request = Forgive { whom };
    show_done(output, &client.send(Method::POST, "/v1/forgive", &request).await?)
}

/// Lifts it, and has nothing more decided about him.
pub(super) async fn report(client: &Client, output: Output, request: FalsePositive) -> Result<()> {
    show_done(output, &client.send(Method::POST, "/v1/exceptions", &request).await?)
}

/// Carries a command about exceptions out.
pub(super) async fn run(client: &Client, output: Output, command: ExceptionCommand) -> Result<()> {
    match command {
        ExceptionCommand::Ls => {
            let exceptions: Vec<Exception> = client.get("/v1/exceptions").await?;
            output.show(&exceptions, |exceptions| shown(exceptions))
        }
        ExceptionCommand::Del { whom } => {
            let path = format!("/v1/exceptions/{whom}");
            show_done(output, &client.send(Method::DELETE, &path, &()).await?)
        }
    }
}

fn shown(exceptions: &[Exception]) -> String {
    let rows = exceptions.iter().map(|exception| {
        let ends = exception.ends_ms.map_or_else(|| "never".into(), when);
        vec![exception.whom.to_string(), ends, exception.reason.clone()]
    });
    table_or(&["for", "ends", "why"], rows, "there is no exception")
}
