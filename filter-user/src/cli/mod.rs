//! The command line: reads arguments, asks the daemon, shows what it says.

mod args;
mod explain;
mod fingerprint;
mod knowledge;
mod limit;
mod list;
mod log;
mod output;
mod pardon;
mod policy;
mod render;
mod replay;
mod rule;

use crate::config::Config;
use crate::control::api::{
    AddVerdict, Done, Event, Explanation, FalsePositive, FingerprintExplanation, SetMode, Status,
    VerdictEntry,
};
use crate::control::client::{Client, ClientError};
use crate::datapath::pins::PinDir;
use crate::policy::{ALLOW_LIST, BLOCK_LIST};
use anyhow::Result;
use args::{About, Arguments, Command, ConfigCommand, VerdictCommand};
use axum::http::Method;
use clap::Parser;
use output::Output;
use std::path::Path;
use std::process::ExitCode;

/// Runs the command line.
///
/// Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no daemon.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(run(arguments));
            // A read of standard input may still wait for somebody to type.
            runtime.shutdown_background();
            outcome
        }
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
        Command::List(command) => list::run(&client, output, command).await?,
        Command::Limit(command) => limit::run(&client, output, command).await?,
        Command::Block(command) => {
            list::run_built_in(&client, output, BLOCK_LIST, command).await?;
        }
        Command::Allow(command) => {
            list::run_built_in(&client, output, ALLOW_LIST, command).await?;
        }
        Command::Verdict(command) => run_verdict(&client, output, command).await?,
        Command::Rule(command) => rule::run(&client, output, command).await?,
        Command::Fingerprint(command) => return fingerprint::run(&client, output, command).await,
        Command::Explain { about } => explain(&client, output, &about).await?,
        Command::Forgive { whom } => pardon::forgive(&client, output, whom).await?,
        Command::ReportFalsePositive { whom, reason, lasts } => {
            pardon::report(&client, output, FalsePositive { whom, reason, lasts }).await?;
        }
        Command::Knowledge(command) => knowledge::run(&client, output, command).await?,
        Command::Exception(command) => pardon::run(&client, output, command).await?,
        Command::Policy(command) => return policy::run(&client, output, command).await,
        Command::Replay(arguments) => return replay::run(output, &arguments),
        Command::Watch => {
            let each = |event: Event| output.show(&event, render::event).is_ok();
            client.lines("/v1/events", each).await?;
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

async fn explain(client: &Client, output: Output, about: &About) -> Result<()> {
    match about {
        About::Address(address) => {
            let explanation: Explanation = client.get(&format!("/v1/explain/{address}")).await?;
            output.show(&explanation, explain::address)
        }
        About::Fingerprint(ja4) => {
            let path = format!("/v1/explain/fingerprint/{ja4}");
            let explanation: FingerprintExplanation = client.get(&path).await?;
            output.show(&explanation, explain::fingerprint)
        }
    }
}

async fn run_verdict(client: &Client, output: Output, command: VerdictCommand) -> Result<()> {
    match command {
        VerdictCommand::List => {
            let verdicts: Vec<VerdictEntry> = client.get("/v1/verdicts").await?;
            output.show(&verdicts, |verdicts| render::verdicts(verdicts))
        }
        VerdictCommand::Add { target, action, lasts, reason, shadow } => {
            let request =
                AddVerdict { address: target, action: action.into(), lasts, reason, shadow };
            show_done(output, &client.send(Method::POST, "/v1/verdicts", &request).await?)
        }
        VerdictCommand::Del { target } => {
            let path = format!("/v1/verdicts/{target}");
            show_done(output, &client.send(Method::DELETE, &path, &()).await?)
        }
    }
}

fn check_config(output: Output, file: &Path) -> Result<()> {
    Config::load(file)?.classify.load_policy()?;
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
