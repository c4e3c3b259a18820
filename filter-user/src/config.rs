//! The configuration file.
//!
//! Each key has a built-in default: the daemon runs with no file at all. Whatever can be
//! wrong is found while the file is read, so that the error names the line.

mod classify;
mod knowledge;
mod limits;
mod log;
mod management;
mod quic;

pub use classify::{Classify, load_policy};
pub use knowledge::Knowledge;
pub use limits::Limits;
pub use log::{Log, LogSource};
pub use management::Management;
pub use quic::Quic;

use crate::classify::decision::policy::PolicyError;
use crate::control::SOCKET;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the daemon looks for its configuration if none is named.
pub const DEFAULT_PATH: &str = "/etc/palisade/palisade.toml";

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Interfaces to filter.
    pub interfaces: Vec<Interface>,
    /// Whether rules act, until `palisade mode` says otherwise.
    pub mode: HostMode,
    /// Where things are kept.
    pub paths: Paths,
    /// What clients and services may use, by name.
    pub limits: Limits,
    /// What the address policy may take.
    pub policy: Policy,
    /// What the classifier does.
    pub classify: Classify,
    /// Who is never locked out.
    pub management: Management,
    /// Who may say what is known.
    pub knowledge: Knowledge,
    /// What is done about QUIC clients.
    pub quic: Quic,
    /// Access logs that are read.
    #[serde(deserialize_with = "log::logs")]
    pub logs: Vec<Log>,
}

/// A network interface's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface(pub String);

/// Whether rules act on this host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostMode {
    /// Every rule only counts.
    #[default]
    Monitor,
    /// Rules act as their own mode says.
    Enforce,
}

/// Where things are kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Paths {
    /// Program, links and maps; on a bpffs.
    pub pins: PathBuf,
    /// What has to survive a reboot.
    pub state: PathBuf,
    /// The control socket and the lock.
    pub run: PathBuf,
}

/// What the address policy may take.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Megabytes that the compiled policy may take in the kernel. While it is replaced
    /// there are two.
    pub memory_mb: NonZeroU32,
    /// How much of itself a list may lose when it is replaced, unless that is forced.
    #[serde(deserialize_with = "percent")]
    pub max_shrink_percent: u8,
}

/// Whether a rule acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleMode {
    /// It is carried out.
    #[default]
    Enforce,
    /// It only counts.
    Shadow,
    /// It isn't there.
    Off,
}

/// A configuration that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file says something that isn't understood.
    #[error("{}", path.display())]
    Parse {
        /// Which.
        path: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
    /// A policy can't be meant.
    #[error("{}", path.display())]
    Policy {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: PolicyError,
    },
    /// A log would take the place of the control socket.
    #[error("the log {0:?} can't have the control socket for its own")]
    ControlSocket(String),
}

impl Config {
    /// Reads a file.
    ///
    /// *Errors*: [`ConfigError`]; its text names the file, the line and the column.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.into(), source })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Parse { path: path.into(), source })?;
        config.classify.settle(path.parent().unwrap_or(Path::new("")));
        config.check()?;
        Ok(config)
    }

    /// Looks whether its parts go together.
    ///
    /// *Errors*: [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        let control = self.paths.control_socket();
        let takes_it =
            |log: &&Log| matches!(&log.source, LogSource::Socket { path, .. } if *path == control);
        match self.logs.iter().find(takes_it) {
            Some(log) => Err(ConfigError::ControlSocket(log.name.clone())),
            None => Ok(()),
        }
    }
}

impl Paths {
    /// The control socket.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.run.join(SOCKET)
    }
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            pins: "/sys/fs/bpf/palisade".into(),
            state: "/var/lib/palisade".into(),
            run: "/run/palisade".into(),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { memory_mb: NonZeroU32::new(64).unwrap_or(NonZeroU32::MIN), max_shrink_percent: 50 }
    }
}

impl<'de> Deserialize<'de> for Interface {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl std::str::FromStr for Interface {
    type Err = String;

    /// *Source*: the kernel's `dev_valid_name`.
    fn from_str(name: &str) -> Result<Self, String> {
        let forbidden = |c: char| c == '/' || c == ':' || c.is_whitespace() || c == '\0';
        if name.is_empty() || name.len() > 15 || name.contains(forbidden) {
            return Err(format!("{name:?} can't be the name of an interface"));
        }
        Ok(Self(name.to_owned()))
    }
}

fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let percent = u8::deserialize(deserializer)?;
    if percent > 100 {
        return Err(D::Error::custom(format!("{percent} is more than 100 percent")));
    }
    Ok(percent)
}

/// Reads "90s", "10m" or "1h 30m".
///
/// *Errors*: a text that says what is allowed. No time at all is an error: a verdict
/// that has ended when it begins is a mistake.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let lasts = humantime::parse_duration(text)
        .map_err(|error| format!("{text:?} is no time span such as 90s, 10m or 1h 30m: {error}"))?;
    if lasts.is_zero() || lasts > MAX_DURATION {
        return Err(format!("{text:?} is not between a moment and ten years"));
    }
    Ok(lasts)
}

/// Longer spans are refused: everything expires.
const MAX_DURATION: Duration = Duration::from_hours(10 * 365 * 24);

#[cfg(test)]
mod tests;
