//! The daemon's options.

use crate::config::{Config, ConfigError, DEFAULT_PATH, HostMode, Interface};
use clap::Parser;
use std::path::{Path, PathBuf};

/// Filters traffic with XDP. With no option but an interface it only counts.
#[derive(Debug, Parser)]
#[command(version, args_override_self = true)]
pub struct Arguments {
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

impl Arguments {
    /// The configuration file with these options laid over it, and the mode that
    /// overrides what was stored.
    ///
    /// *Errors*: [`ConfigError`].
    pub fn configure(self) -> Result<(Config, Option<HostMode>), ConfigError> {
        let mut config = match &self.config {
            Some(path) => Config::load(path)?,
            None if Path::new(DEFAULT_PATH).exists() => Config::load(Path::new(DEFAULT_PATH))?,
            None => Config::default(),
        };
        if !self.interfaces.is_empty() {
            config.interfaces = self.interfaces;
        }
        let paths = &mut config.paths;
        paths.pins = self.pin_dir.unwrap_or_else(|| paths.pins.clone());
        paths.state = self.state_dir.unwrap_or_else(|| paths.state.clone());
        paths.run = self.run_dir.unwrap_or_else(|| paths.run.clone());
        config.check()?;
        let mode = self.mode.map(|mode| match mode.as_str() {
            "enforce" => HostMode::Enforce,
            _ => HostMode::Monitor,
        });
        Ok((config, mode))
    }
}
