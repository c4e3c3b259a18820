//! The configuration file.
//!
//! Each key has a built-in default: the daemon runs with no file at all. Whatever can be
//! wrong is found while the file is read, so that the error names the line.

mod limits;
mod log;
mod quic;

pub use limits::Limits;
pub use log::{Log, LogSource};
pub use quic::Quic;

use filter_common::abi::Mode;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
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

/// What the classifier does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Classify {
    /// Whether a hello counts as evidence only if a local, established TCP socket fits
    /// it. Hosts that forward to other hosts have no such sockets.
    pub require_socket: bool,
    /// What happens to known attack tools.
    pub tool_action: Action,
    /// What happens to known HTTP libraries.
    pub library_action: Action,
    /// What happens to clients that only look like browsers, by the structure of their hellos.
    pub impersonator_action: Action,
    /// TLS handshakes a second that a client may make.
    pub handshake_per_sec: NonZeroU64,
    /// Handshakes that may come at once.
    pub handshake_burst: NonZeroU64,
    /// How long a verdict lasts.
    #[serde(deserialize_with = "duration")]
    pub verdict_for: Duration,
    /// Whether the classifier's verdicts act.
    pub mode: RuleMode,
    /// Fingerprints (JA4) to know beside the built-in ones, and what happens to them.
    pub fingerprints: BTreeMap<String, Action>,
}

/// What the classifier does about a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Every packet is dropped.
    Block,
    /// The client gets the throttle limit.
    Throttle,
    /// Nothing; it is shown.
    Watch,
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
}

impl Config {
    /// Reads a file.
    ///
    /// *Errors*: [`ConfigError`]; its text names the file, the line and the column.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.into(), source })?;
        toml::from_str(&text).map_err(|source| ConfigError::Parse { path: path.into(), source })
    }
}

impl RuleMode {
    /// The mode as the kernel wants it; `None` when the rule isn't there.
    #[must_use]
    pub const fn mode(self) -> Option<Mode> {
        match self {
            Self::Enforce => Some(Mode::ENFORCE),
            Self::Shadow => Some(Mode::SHADOW),
            Self::Off => None,
        }
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

impl Default for Classify {
    fn default() -> Self {
        let count = |count| NonZeroU64::new(count).unwrap_or(NonZeroU64::MIN);
        Self {
            require_socket: true,
            tool_action: Action::Block,
            library_action: Action::Watch,
            impersonator_action: Action::Watch,
            handshake_per_sec: count(20),
            handshake_burst: count(60),
            verdict_for: Duration::from_mins(10),
            mode: RuleMode::Enforce,
            fingerprints: BTreeMap::new(),
        }
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

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse_duration(&String::deserialize(deserializer)?).map_err(D::Error::custom)
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
