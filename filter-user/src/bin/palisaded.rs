//! Palisade's daemon.

use clap::Parser;
use filter_user::daemon;
use filter_user::daemon::arguments::Arguments;
use mimalloc::MiMalloc;
use std::io::IsTerminal;
use std::process::ExitCode;
use tokio::runtime::Builder;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_log();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Requests are read and replies written beside the engine's thread, and who wakes the engine wakes
/// no other thread for that.
fn run(arguments: Arguments) -> anyhow::Result<()> {
    let (config, mode) = arguments.configure()?;
    let mut requests = Builder::new_multi_thread();
    let requests = requests.worker_threads(1).thread_name("requests").enable_all().build()?;
    let engine = Builder::new_current_thread().enable_all().build()?;
    Ok(engine.block_on(daemon::run(config, mode, requests.handle()))?)
}

/// Logs to standard error; `RUST_LOG` says how much, such as `debug` or
/// `filter_user=debug`.
fn start_log() {
    let wanted = std::env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let wanted = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines).with(wanted).init();
}
