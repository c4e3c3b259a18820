//! Requests and replies.
//!
//! Requests refuse fields that they don't know: a misspelt option must not be a silent
//! default.

mod client;
mod judged;
mod knowledge;
mod limit;
mod list;
mod log;
mod rule;
mod status;

use serde::{Deserialize, Serialize};

pub use client::*;
pub use judged::*;
pub use knowledge::*;
pub use limit::*;
pub use list::*;
pub use log::*;
pub use rule::*;
pub use status::*;

/// Packets and their bytes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Bytes, Ethernet headers included.
    pub bytes: u64,
}

/// A command was carried out: it is on disk and in the kernel.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Done {
    /// How many things changed.
    pub changed: usize,
    /// What an operator should know about it.
    pub notes: Vec<String>,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// When, in milliseconds since 1970.
    pub unix_ms: u64,
    /// What kind of thing: `hello`, `unfingerprintable`, `class`, `decision`, `forgiven`,
    /// `false-positive`, `exception`, `policy`, `verdict`, `list`, `rule`, `mode`,
    /// `limit`, `guard`, `log`, `knowledge`.
    pub kind: String,
    /// Whom it is about, if anybody.
    pub subject: Option<String>,
    /// What happened, in a sentence.
    pub text: String,
}

/// Why a command was refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// A sentence with the way out.
    pub error: String,
}
