//! `palisade fingerprint`.

pub(super) mod args;
mod render;

use super::output::Output;
use super::{output, rule, show_done};
use crate::capture::{self, EngineKind};
use crate::clock::Now;
use crate::control::api::{FingerprintDetail, FingerprintEntry, SetLabel};
use crate::control::client::Client;
use crate::fingerprint::Ja4;
use anyhow::Result;
use args::{FingerprintCommand, TopBy};
use axum::http::Method;
use std::cmp::Reverse;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Carries a command out.
pub(super) async fn run(
    client: &Client,
    output: Output,
    command: FingerprintCommand,
) -> Result<ExitCode> {
    match command {
        FingerprintCommand::List => {
            let entries = entries(client).await?;
            output.show(&entries, |entries| render::fingerprints(entries))?;
        }
        FingerprintCommand::Show { ja4 } => {
            let detail: FingerprintDetail = client.get(&path(ja4)).await?;
            output.show(&detail, render::detail)?;
        }
        FingerprintCommand::Top { count, by } => {
            let mut entries = entries(client).await?;
            entries.sort_by_key(|entry| Reverse(weight(entry, by)));
            entries.truncate(count);
            output.show(&entries, |entries| render::fingerprints(entries))?;
        }
        FingerprintCommand::Label { ja4, label } => {
            let request = SetLabel { label };
            show_done(output, &client.send(Method::PUT, &path(ja4), &request).await?)?;
        }
        FingerprintCommand::Export => {
            let entries = entries(client).await?;
            output.show(&entries, |entries| render::csv(entries))?;
        }
        FingerprintCommand::Block { ja4, set } => rule::set(client, output, &ja4, set).await?,
        FingerprintCommand::Unblock { ja4 } => rule::remove(client, output, &ja4).await?,
        FingerprintCommand::Pcap { files, engine } => {
            return read_captures(output, &files, engine.into());
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn entries(client: &Client) -> Result<Vec<FingerprintEntry>> {
    Ok(client.get("/v1/fingerprints").await?)
}

fn path(ja4: Ja4) -> String {
    format!("/v1/fingerprints/{ja4}")
}

const fn weight(entry: &FingerprintEntry, by: TopBy) -> u64 {
    match by {
        TopBy::Hellos => entry.hellos,
        TopBy::Clients => entry.clients,
        TopBy::Orders => entry.wire_orders,
        TopBy::Ended => entry.ended + entry.would_end,
        TopBy::PerClient if entry.clients == 0 => 0,
        TopBy::PerClient => entry.hellos / entry.clients,
    }
}

/// One bad file doesn't stop the others, but the exit code tells.
fn read_captures(output: Output, files: &[PathBuf], engine: EngineKind) -> Result<ExitCode> {
    let started = Now::read();
    let summary = output.write(|json, mut out| capture::run(files, engine, json, &mut out))??;
    let elapsed = Duration::from_nanos(Now::read().ktime_ns - started.ktime_ns);
    output.remark(&summary.line(elapsed))?;
    for failure in &summary.failures {
        output::problem(&failure.to_string());
    }
    Ok(ExitCode::from(u8::from(!summary.failures.is_empty())))
}
