//! Access logs that are read.

use crate::access_log::Format;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::HashSet;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

/// An access log that is read: `[[logs]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Log {
    /// What it is called; its path unless it has a name.
    pub name: String,
    /// Where it comes from.
    pub source: LogSource,
    /// How the server writes it.
    pub format: Format,
    /// TCP ports of the server whose log it is.
    pub ports: Vec<NonZeroU16>,
    /// Whether the server offers HTTP/3. Where it doesn't, a request that says so is a lie:
    /// `HAProxy` and Apache take it over TCP.
    pub http3: bool,
}

/// Where an access log comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogSource {
    /// A file that the server writes to.
    File(PathBuf),
    /// A Unix datagram socket that the daemon makes, and the server sends syslog to.
    Socket {
        /// Where.
        path: PathBuf,
        /// Whose members may send, beside root.
        group: Option<String>,
    },
}

/// More are refused: each is read by a thread of its own.
const MOST: usize = 64;

/// More ports of one log are refused: each request may be looked for under all of them.
const MOST_PORTS: usize = 16;

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    path: Option<PathBuf>,
    socket: Option<PathBuf>,
    group: Option<String>,
    format: Format,
    #[serde(default = "https")]
    ports: Vec<NonZeroU16>,
    #[serde(default = "offered")]
    http3: bool,
}

/// A request over QUIC that is held against a hello over TCP would be worse than the lie.
const fn offered() -> bool {
    true
}

fn https() -> Vec<NonZeroU16> {
    NonZeroU16::new(443).into_iter().collect()
}

impl TryFrom<Written> for Log {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { name, path, socket, group, format, mut ports, http3 } = written;
        let source = match (path, socket) {
            (Some(path), None) if group.is_none() => LogSource::File(path),
            (Some(_), None) => return Err("`group` is about who may send to a `socket`".into()),
            (None, Some(path)) => LogSource::Socket { path, group },
            _ => return Err("a log has either a `path` or a `socket`".into()),
        };
        let path = source.path();
        if !path.is_absolute() {
            return Err(format!("{} doesn't start with /", path.display()));
        }
        let name = name.unwrap_or_else(|| path.display().to_string());
        if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
            return Err(format!("{name:?} is no name of one line of at most 200 bytes"));
        }
        ports.sort_unstable();
        ports.dedup();
        if ports.is_empty() || ports.len() > MOST_PORTS {
            return Err(format!("a log has between one and {MOST_PORTS} `ports`"));
        }
        Ok(Self { name, source, format, ports, http3 })
    }
}

impl LogSource {
    /// The file or the socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Socket { path, .. } => path,
        }
    }

    /// What kind of source it is, for people.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Socket { .. } => "socket",
        }
    }
}

/// Reads all of them.
pub(super) fn logs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Log>, D::Error> {
    let logs = Vec::<Log>::deserialize(deserializer)?;
    if logs.len() > MOST {
        let text = format!("{} logs are more than the {MOST} there can be", logs.len());
        return Err(D::Error::custom(text));
    }
    let (mut paths, mut names) = (HashSet::new(), HashSet::new());
    for log in &logs {
        if !paths.insert(log.source.path()) || !names.insert(&log.name) {
            return Err(D::Error::custom(format!("there are two logs {:?}", log.name)));
        }
    }
    Ok(logs)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const FILE: &str = "[[logs]]\npath = \"/var/log/nginx/access.log\"\nformat = \"combined\"\n";

    fn error(text: &str) -> String {
        toml::from_str::<Config>(text).unwrap_err().to_string()
    }

    #[test]
    fn a_log_has_its_path_for_a_name_and_is_about_https() {
        let config: Config = toml::from_str(FILE).unwrap();
        let log = &config.logs[0];
        assert_eq!((log.name.as_str(), log.source.kind()), ("/var/log/nginx/access.log", "file"));
        assert_eq!(log.ports.iter().map(|port| port.get()).collect::<Vec<_>>(), [443]);
        assert!(log.http3);
        let named = FILE.replace("path", "name = \"shop\"\nports = [8443, 443, 443]\npath");
        let config: Config =
            toml::from_str(&format!("{FILE}{}", named.replace("access", "shop"))).unwrap();
        assert_eq!((config.logs[1].name.as_str(), config.logs[1].ports.len()), ("shop", 2));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_line() {
        let says = |text: &str, what: &str| {
            let error = error(text);
            assert!(error.contains(what) && error.contains("line "), "{error}");
        };
        says(&FILE.replace("combined", "common"), "unknown variant `common`");
        says(&FILE.replace("path", "socket = \"/run/x\"\npath"), "either a `path` or a `socket`");
        says("[[logs]]\nformat = \"haproxy\"\n", "either a `path` or a `socket`");
        says("[[logs]]\npath = \"/a\"\n", "format");
        says(&FILE.replace("/var", "var"), "doesn't start with /");
        says(&FILE.replace("format", "ports = []\nformat"), "between one and 16");
        says(&FILE.replace("format", "ports = [0]\nformat"), "nonzero");
        says(&FILE.replace("format", "group = \"www\"\nformat"), "`group`");
        says(&FILE.replace("format", "colour = 1\nformat"), "colour");
        says(&format!("{FILE}{FILE}"), "two logs");
        says(&FILE.replace("[[logs]]", "[logs]"), "sequence");
    }
}
