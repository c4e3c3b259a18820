//! `palisade rule`.

pub(super) mod args;
mod render;

use super::output::Output;
use super::show_done;
use crate::control::api::{RuleEntry, SetRule};
use crate::control::client::Client;
use crate::rule::Pattern;
use anyhow::Result;
use args::{RuleArguments, RuleCommand};
use axum::http::Method;

/// Carries a command out.
pub(super) async fn run(client: &Client, output: Output, command: RuleCommand) -> Result<()> {
    match command {
        RuleCommand::Ls => {
            let rules: Vec<RuleEntry> = client.get("/v1/rules").await?;
            output.show(&rules, |rules| render::rules(rules))
        }
        RuleCommand::Set { pattern, set } => self::set(client, output, &pattern, set).await,
        RuleCommand::Del { pattern } => remove(client, output, &pattern).await,
    }
}

/// Makes a rule or changes it.
pub(super) async fn set(
    client: &Client,
    output: Output,
    pattern: &Pattern,
    arguments: RuleArguments,
) -> Result<()> {
    let RuleArguments { action, shadow, lasts, comment } = arguments;
    let request = SetRule { action, shadow, lasts, comment };
    show_done(output, &client.send(Method::PUT, &path(pattern), &request).await?)
}

/// Removes a rule.
pub(super) async fn remove(client: &Client, output: Output, pattern: &Pattern) -> Result<()> {
    show_done(output, &client.send(Method::DELETE, &path(pattern), &()).await?)
}

/// A pattern has no character that a path can't have.
fn path(pattern: &Pattern) -> String {
    format!("/v1/rules/{pattern}")
}
