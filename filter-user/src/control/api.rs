//! Requests and replies.
//!
//! Requests refuse fields that they don't know: a misspelt option must not be a silent
//! default.

use crate::config::HostMode;
use crate::policy::list::ListAction;
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

/// How many entries the lists have, and what they take.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ListSizes {
    /// How many lists there are.
    pub lists: usize,
    /// Entries of the list `block`.
    pub block: usize,
    /// Entries of the list `allow`.
    pub allow: usize,
    /// Entries of all lists.
    pub entries: usize,
    /// Bytes of the compiled policy in the kernel.
    pub kernel_bytes: u64,
    /// Bytes of it that are in use; the rest is room for changes.
    pub used_bytes: u64,
    /// The bound of the configuration, `policy.memory_mb`, in bytes.
    pub max_bytes: u64,
}

/// A list, without its entries.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListInfo {
    /// Its name.
    pub name: String,
    /// What it does.
    pub action: ListAction,
    /// `enforce` or `shadow`.
    pub mode: String,
    /// Between lists that say different things of an address, the higher one wins.
    pub priority: i32,
    /// IPv4 entries.
    pub v4: usize,
    /// IPv6 entries.
    pub v6: usize,
    /// Traffic that the list decided about, or would have.
    pub matched: Traffic,
    /// The part of it that the list dropped.
    pub dropped: Traffic,
    /// The part of it that the list would have dropped, were it or the host enforcing.
    pub would_drop: Traffic,
}

/// Packets and their bytes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Bytes, Ethernet headers included.
    pub bytes: u64,
}

/// A list with its entries.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListDetail {
    /// The list.
    pub list: ListInfo,
    /// Its first entries, in the order of prefixes.
    pub entries: Vec<ListEntry>,
    /// How many more there are; an export has them all.
    pub more: usize,
}

/// Makes a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateList {
    /// Its name: up to 48 of a-z, A-Z, 0-9, '.', '_' and '-'.
    pub name: String,
    /// What it does.
    pub action: ListAction,
    /// Whether it only counts.
    #[serde(default)]
    pub shadow: bool,
    /// Between lists that say different things of an address, the higher one wins.
    #[serde(default)]
    pub priority: i32,
}

/// Changes what a list is; what isn't said stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetList {
    /// What it does.
    #[serde(default)]
    pub action: Option<ListAction>,
    /// Whether it only counts.
    #[serde(default)]
    pub shadow: Option<bool>,
    /// Its priority.
    #[serde(default)]
    pub priority: Option<i32>,
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
    /// When it ends, in seconds since 1970, if it does.
    pub expires_unix_s: Option<u64>,
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
    /// Whether they only count, whatever the list does.
    #[serde(default)]
    pub shadow: bool,
    /// How long they stay, such as `10m`; for good if not said.
    #[serde(default)]
    pub lasts: Option<String>,
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

/// A client verdict.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VerdictEntry {
    /// The prefix: a client's /32 or /64, or what else was named.
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

/// Decides about a client or a prefix.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddVerdict {
    /// An address of the client; or a /32 or /24, or a /128, /64, /56 or /48.
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
