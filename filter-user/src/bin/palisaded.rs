//! Palisade's daemon.

use anyhow::Result;
use clap::Parser;
use filter_user::config::{Config, DEFAULT_PATH, HostMode, Interface};
use filter_user::daemon;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Filters traffic with XDP. With no option but an interface it only counts.
#[derive(Debug, Parser)]
#[command(version, args_override_self = true)]
struct Arguments {
    /// An interface to filter; can be given several times.
    #[arg(long = "interface", value_name = "IF")]
    interfaces: Vec<Interface>,
    /// The configuration [default: /etc/palisade/palisade.toml, if it is there].
    #[arg(long)]
    config: Option<PathBuf>,
    /// Whether rules act, whatever the configuration or earlier commands say.
    #[arg(long, value_parser = ["monitor", "enforce"])]
    mode: Option<String>,
    /// Where program, links and maps are pinned; on a bpffs.
    #[arg(long, value_name = "DIR")]
    pin_dir: Option<PathBuf>,
    /// Where lists, verdicts and rules are kept.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Where the control socket is.
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let level = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(level).with_ansi(colours);
    log.with_writer(std::io::stderr).init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let (config, mode) = configure(arguments)?;
    Ok(daemon::run(config, mode).await?)
}

fn configure(arguments: Arguments) -> Result<(Config, Option<HostMode>)> {
    let mut config = match &arguments.config {
        Some(path) => Config::load(path)?,
        None if Path::new(DEFAULT_PATH).exists() => Config::load(Path::new(DEFAULT_PATH))?,
        None => Config::default(),
    };
    if !arguments.interfaces.is_empty() {
        config.interfaces = arguments.interfaces;
    }
    let paths = &mut config.paths;
    paths.pins = arguments.pin_dir.unwrap_or_else(|| paths.pins.clone());
    paths.state = arguments.state_dir.unwrap_or_else(|| paths.state.clone());
    paths.run = arguments.run_dir.unwrap_or_else(|| paths.run.clone());
    let mode = arguments.mode.map(|mode| match mode.as_str() {
        "enforce" => HostMode::Enforce,
        _ => HostMode::Monitor,
    });
    Ok((config, mode))
}
