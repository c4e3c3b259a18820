//! Requests and replies.
//!
//! Requests refuse fields that they don't know: a misspelt option must not be a silent
//! default.

use crate::config::HostMode;
use crate::verdict::{VerdictAction, VerdictSource};
use serde::{Deserialize, Serialize};

/// What the daemon is doing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The daemon's version.
    pub version: String,
    /// The version of the interface between kernel and daemon.
    pub abi: u32,
    /// Whether rules act.
    pub mode: HostMode,
    /// Seconds since the daemon started.
    pub uptime_s: u64,
    /// Whether the filter of an earlier daemon was taken over.
    pub taken_over: bool,
    /// How a ClientHello's sender is proven: `socket` or `none`.
    pub evidence: String,
    /// Where the filter is attached.
    pub interfaces: Vec<Interface>,
    /// How many entries the lists have.
    pub lists: ListSizes,
    /// Client verdicts in force.
    pub verdicts: usize,
    /// Fingerprints that were seen.
    pub fingerprints: usize,
    /// Packets by verdict and reason, as the kernel counted them.
    pub counters: Vec<Counter>,
    /// What became of the hellos.
    pub hellos: Hellos,
}

/// An interface that the filter is attached to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its index.
    pub ifindex: u32,
    /// `native` or `generic`.
    pub attach: String,
}

/// How many entries the lists have.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ListSizes {
    /// The blocklist.
    pub block: usize,
    /// The allowlist.
    pub allow: usize,
}

/// One cell of the kernel's counters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Counter {
    /// `pass`, `drop` or `would-drop`.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// Packets.
    pub packets: u64,
    /// Bytes, Ethernet headers included.
    pub bytes: u64,
}

/// What became of the hellos.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Hellos {
    /// Segments that the kernel handed over.
    pub recorded: u64,
    /// Segments that the full ring buffer had no room for.
    pub lost: u64,
    /// Hellos that were put together, since the daemon started.
    pub fingerprinted: u64,
    /// Hellos that could not be.
    pub unfingerprintable: u64,
    /// Hellos among the first whose sender isn't proven; they count for nothing.
    pub unproven: u64,
    /// Verdicts that found no room.
    pub verdicts_refused: u64,
}

/// An entry of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListEntry {
    /// The prefix.
    pub prefix: String,
    /// `enforce` or `shadow`.
    pub mode: String,
    /// Why it is there.
    pub comment: String,
    /// When it was added, in milliseconds since 1970.
    pub added_unix_ms: u64,
}

/// Adds entries to a list: all or none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddEntries {
    /// Addresses or prefixes.
    pub prefixes: Vec<String>,
    /// Why.
    #[serde(default)]
    pub comment: String,
    /// Whether they only count. The allowlist knows no shadow.
    #[serde(default)]
    pub shadow: bool,
}

/// Removes entries from a list: all or none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveEntries {
    /// Addresses or prefixes, as they were added.
    pub prefixes: Vec<String>,
}

/// A command was carried out: it is on disk and in the kernel.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Done {
    /// How many things changed.
    pub changed: usize,
    /// What an operator should know about it.
    pub notes: Vec<String>,
}

/// A line of an import's reply.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportLine {
    /// So many of so many entries are in the kernel.
    Progress {
        /// Entries so far.
        done: usize,
        /// All of them.
        total: usize,
    },
    /// The last line, if it worked.
    Done(Done),
    /// The last line, if it didn't.
    Error(String),
}

/// A client verdict.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VerdictEntry {
    /// The client: a /32 or a /64.
    pub client: String,
    /// What it does.
    pub action: VerdictAction,
    /// `enforce` or `shadow`.
    pub mode: String,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub source: VerdictSource,
    /// Seconds until it ends.
    pub expires_in_s: u64,
}

/// Decides about a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddVerdict {
    /// An address of the client.
    pub address: String,
    /// What to do.
    pub action: VerdictAction,
    /// How long, such as `10m`.
    pub lasts: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Whether it only counts.
    #[serde(default)]
    pub shadow: bool,
}

/// A fingerprint that was seen, or that there is a rule on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FingerprintEntry {
    /// Its JA4.
    pub ja4: String,
    /// The JA3 of its last hello.
    pub ja3: Option<String>,
    /// What is known of it, such as `tool (nmap-http-title)`.
    pub label: Option<String>,
    /// Hellos since the daemon started.
    pub hellos: u64,
    /// Distinct clients, counted up to 1,024.
    pub clients: usize,
    /// The name that was asked for last.
    pub last_sni: Option<String>,
    /// The protocols that were offered last.
    pub alpn: Option<String>,
    /// When it was seen last, in milliseconds since 1970.
    pub last_unix_ms: Option<u64>,
    /// Whether there is a rule that blocks its clients.
    pub blocked: bool,
}

/// Blocks the clients of a fingerprint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockFingerprint {
    /// How long each verdict lasts; the configuration's `verdict_for` if not said.
    #[serde(default)]
    pub lasts: Option<String>,
    /// Why.
    #[serde(default)]
    pub comment: String,
}

/// What happens to an address, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Explanation {
    /// The address.
    pub address: String,
    /// The client that it belongs to.
    pub client: String,
    /// `pass`, `drop`, `would-drop` or `limited`.
    pub effect: String,
    /// The step that decides, in a sentence.
    pub reason: String,
    /// Each step of the walk, in order, and what it says.
    pub steps: Vec<Step>,
    /// How to change it.
    pub way_out: Option<String>,
}

/// A step of the walk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Which check.
    pub step: String,
    /// What it says of the address.
    pub result: String,
}

/// Switches between counting and acting.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetMode {
    /// Whether rules act.
    pub mode: HostMode,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// When, in milliseconds since 1970.
    pub unix_ms: u64,
    /// What kind of thing: `hello`, `unfingerprintable`, `verdict`, `list`, `rule`, `mode`.
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
