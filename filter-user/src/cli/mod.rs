//! The command line: reads arguments, asks the daemon, shows what it says.

mod args;
mod output;
mod render;

use crate::capture::{self, EngineKind};
use crate::clock::Now;
use crate::config::Config;
use crate::control::api::{
    AddEntries, AddVerdict, BlockFingerprint, Done, Event, Explanation, FingerprintEntry,
    ImportLine, ListEntry, RemoveEntries, SetMode, Status, VerdictEntry,
};
use crate::control::client::{Client, ClientError};
use crate::datapath::pins::PinDir;
use anyhow::{Context, Result};
use args::{Arguments, Command, ConfigCommand, FingerprintCommand, ListCommand, VerdictCommand};
use axum::http::Method;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use output::Output;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Runs the command line.
///
/// Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no daemon.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            output::problem(&format!("{error:#}"));
            exit_code(&error)
        }
    }
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    let no_daemon = matches!(error.downcast_ref(), Some(ClientError::NoDaemon { .. }));
    ExitCode::from(if no_daemon { 3 } else { 1 })
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let client = Client::new(&arguments.socket);
    let output = Output::new(arguments.json);
    match arguments.command {
        Command::Status => {
            let status: Status = client.get("/v1/status").await?;
            output.show(&status, render::status)?;
        }
        Command::Block(command) => run_list(&client, output, "block", command).await?,
        Command::Allow(command) => run_list(&client, output, "allow", command).await?,
        Command::Verdict(command) => run_verdict(&client, output, command).await?,
        Command::Fingerprint(command) => return run_fingerprint(&client, output, command).await,
        Command::Explain { address } => {
            let explanation: Explanation = client.get(&format!("/v1/explain/{address}")).await?;
            output.show(&explanation, render::explanation)?;
        }
        Command::Watch => {
            let each = |event: Event| output.show(&event, render::event).is_ok();
            client.lines(Method::GET, "/v1/events", Vec::new(), each).await?;
        }
        Command::Mode { mode } => {
            let request = SetMode { mode: mode.into() };
            let done = client.send(Method::PUT, "/v1/mode", &request).await?;
            show_done(output, &done)?;
        }
        Command::Config(ConfigCommand::Check { file }) => check_config(output, &file)?,
        Command::Detach { pins } => detach(&client, output, &pins).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show_done(output: Output, done: &Done) -> Result<()> {
    output.show(done, render::done)
}

async fn run_list(client: &Client, output: Output, list: &str, command: ListCommand) -> Result<()> {
    let path = format!("/v1/lists/{list}");
    match command {
        ListCommand::Add { prefixes, comment, shadow } => {
            let request = AddEntries { prefixes, comment, shadow };
            show_done(output, &client.send(Method::POST, &path, &request).await?)
        }
        ListCommand::Del { prefixes } => {
            let request = RemoveEntries { prefixes };
            show_done(output, &client.send(Method::DELETE, &path, &request).await?)
        }
        ListCommand::List => {
            let entries: Vec<ListEntry> = client.get(&path).await?;
            output.show(&entries, |entries| render::entries(entries))
        }
        ListCommand::Import { file } => import(client, output, &path, &file).await,
    }
}

async fn import(client: &Client, output: Output, path: &str, file: &Path) -> Result<()> {
    let text = std::fs::read(file).with_context(|| file.display().to_string())?;
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} entries, {elapsed}")?;
    let bar = ProgressBar::new(0).with_style(style);
    let mut last = None;
    let each = |line: ImportLine| {
        if let ImportLine::Progress { done, total } = line {
            bar.set_length(u64::try_from(total).unwrap_or_default());
            bar.set_position(u64::try_from(done).unwrap_or_default());
            return true;
        }
        last = Some(line);
        false
    };
    client.lines(Method::POST, &format!("{path}/import"), text, each).await?;
    bar.finish_and_clear();
    match last {
        Some(ImportLine::Done(done)) => show_done(output, &done),
        Some(ImportLine::Error(error)) => {
            Err(ClientError::Refused(error)).with_context(|| file.display().to_string())
        }
        _ => Err(ClientError::Garbled("the import has no end".into()).into()),
    }
}

async fn run_verdict(client: &Client, output: Output, command: VerdictCommand) -> Result<()> {
    match command {
        VerdictCommand::List => {
            let verdicts: Vec<VerdictEntry> = client.get("/v1/verdicts").await?;
            output.show(&verdicts, |verdicts| render::verdicts(verdicts))
        }
        VerdictCommand::Add { address, action, lasts, reason, shadow } => {
            let request = AddVerdict {
                address: address.to_string(),
                action: action.into(),
                lasts,
                reason,
                shadow,
            };
            show_done(output, &client.send(Method::POST, "/v1/verdicts", &request).await?)
        }
        VerdictCommand::Del { address } => {
            let path = format!("/v1/verdicts/{address}");
            show_done(output, &client.send(Method::DELETE, &path, &()).await?)
        }
    }
}

async fn run_fingerprint(
    client: &Client,
    output: Output,
    command: FingerprintCommand,
) -> Result<ExitCode> {
    match command {
        FingerprintCommand::List => {
            let entries: Vec<FingerprintEntry> = client.get("/v1/fingerprints").await?;
            output.show(&entries, |entries| render::fingerprints(entries))?;
        }
        FingerprintCommand::Block { ja4, lasts, comment } => {
            let request = BlockFingerprint { lasts, comment };
            let path = format!("/v1/fingerprints/{}/rule", escape(&ja4));
            show_done(output, &client.send(Method::PUT, &path, &request).await?)?;
        }
        FingerprintCommand::Unblock { ja4 } => {
            let path = format!("/v1/fingerprints/{}/rule", escape(&ja4));
            show_done(output, &client.send(Method::DELETE, &path, &()).await?)?;
        }
        FingerprintCommand::Pcap { files, engine } => {
            return read_captures(output, &files, engine.into());
        }
    }
    Ok(ExitCode::SUCCESS)
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

/// A fingerprint is plain text; whatever else was typed becomes part of the path.
fn escape(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.chars().map(|c| if plain(c) { c } else { '-' }).collect()
}

fn check_config(output: Output, file: &Path) -> Result<()> {
    Config::load(file)?;
    let notes = vec![format!("{} is fine", file.display())];
    show_done(output, &Done { changed: 0, notes })
}

/// Asks the daemon; without one, removes the pins itself.
async fn detach(client: &Client, output: Output, pins: &Path) -> Result<()> {
    match client.send(Method::POST, "/v1/detach", &()).await {
        Ok(done) => show_done(output, &done),
        Err(ClientError::NoDaemon { .. }) if pins.exists() => {
            PinDir::remove_all(pins)?;
            let notes = vec![format!("no daemon runs; removed what {} held", pins.display())];
            show_done(output, &Done { changed: 1, notes })
        }
        Err(ClientError::NoDaemon { .. }) => {
            let notes = vec![format!("nothing to do: there is nothing at {}", pins.display())];
            show_done(output, &Done { changed: 0, notes })
        }
        Err(error) => Err(error.into()),
    }
}
