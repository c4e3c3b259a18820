//! What became of access logs.

use serde::{Deserialize, Serialize};
use std::num::NonZeroU16;

/// An access log, and what came of it since the daemon started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogInfo {
    /// What it is called.
    pub name: String,
    /// `file` or `socket`.
    pub source: String,
    /// Where.
    pub path: String,
    /// Its format, as in the configuration.
    pub format: String,
    /// TCP ports of the server whose log it is.
    pub ports: Vec<NonZeroU16>,
    /// `reading`; `waiting` for a file that isn't there; `stopped` when hellos come and lines,
    /// which used to, don't; `failed`.
    pub state: String,
    /// Why it failed.
    pub error: Option<String>,
    /// Lines that were read.
    pub lines: u64,
    /// Those that are no requests.
    pub malformed: u64,
    /// What was wrong with the last of these.
    pub last_malformed: Option<String>,
    /// Requests whose hello is known.
    pub matched: u64,
    /// Requests whose hello isn't.
    pub unmatched: u64,
    /// Lines that the daemon had no time for.
    pub lost: u64,
    /// How much later than its own time the last request was read.
    pub lag_ms: u64,
    /// When the last line was read, in milliseconds since 1970.
    pub last_unix_ms: Option<u64>,
}

/// What is remembered to join requests with hellos.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct JoinedInfo {
    /// Connections whose hello is remembered.
    pub connections: usize,
    /// Connections that were forgotten for newer ones.
    pub forgotten: u64,
    /// Requests that may be of several hellos, or of one that is forgotten.
    pub ambiguous: u64,
}
