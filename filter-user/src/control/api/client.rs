//! Clients: verdicts on them, their fingerprints, and why they pass or not.

use crate::classify::signals::Fired;
use crate::fingerprint::Forms;
use crate::rule::Pattern;
use crate::verdict::{VerdictAction, VerdictSource};
use serde::{Deserialize, Serialize};

use super::Behaviour;

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

/// A fingerprint that was seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FingerprintEntry {
    /// Its JA4.
    pub ja4: String,
    /// The JA3 of its last hello; none if this daemon has seen none.
    pub ja3: Option<String>,
    /// What operators call it, or what is known of it, such as `tool (nmap-http-title)`.
    pub label: Option<String>,
    /// Hellos.
    pub hellos: u64,
    /// Distinct clients, estimated within some 13 %.
    pub clients: u64,
    /// Distinct wire orders, which JA3s are made of; estimated, at most 266.
    pub wire_orders: u64,
    /// Hellos that a rule has ended.
    pub ended: u64,
    /// Hellos that a rule would have, were it or the host not in shadow.
    pub would_end: u64,
    /// The name that was asked for last.
    pub last_sni: Option<String>,
    /// The protocols that were offered last.
    pub alpn: Option<String>,
    /// When it was seen first, in milliseconds since 1970.
    pub first_unix_ms: u64,
    /// When it was seen last.
    pub last_unix_ms: u64,
    /// Rules on it or on parts of it.
    pub rules: Vec<Pattern>,
}

/// A fingerprint, and the forms of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FingerprintDetail {
    /// What is remembered.
    #[serde(flatten)]
    pub entry: FingerprintEntry,
    /// The forms of its last hello; none if this daemon has seen none.
    pub forms: Option<Forms>,
}

/// Names a fingerprint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetLabel {
    /// The label; an empty one takes it away.
    pub label: String,
}

/// A fingerprint of a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClientFingerprint {
    /// A JA4 or a cause.
    pub fingerprint: String,
    /// Distinct wire orders in which this client sent it; estimated.
    pub wire_orders: u64,
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
    /// The client's last fingerprints.
    pub fingerprints: Vec<ClientFingerprint>,
    /// What the client is, by its hellos; none if this daemon has seen none of it.
    pub class: Option<ClientClass>,
    /// What the client does, and what the classifier decided about it.
    pub behaviour: Behaviour,
    /// How to change it.
    pub way_out: Option<String>,
}

/// What a client is, and what says so.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClientClass {
    /// `browser`, `library`, `tool`, `impersonator` or `unknown`; `automation` is reserved.
    pub class: String,
    /// How much speaks against its being a browser, from 0 to 100.
    pub score: u32,
    /// The signals that fired.
    pub signals: Vec<SignalEntry>,
    /// The system that its connections come from, by their SYNs.
    pub system: Option<String>,
    /// When it was first heard of, in milliseconds since 1970.
    pub first_unix_ms: u64,
    /// When it was last heard of.
    pub last_unix_ms: u64,
}

/// A signal that fired.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignalEntry {
    /// Its stable name.
    pub name: String,
    /// What it counts; 50 decide.
    pub weight: u32,
    /// What it saw.
    pub evidence: String,
}

impl From<Fired> for SignalEntry {
    fn from(Fired { name, weight, evidence }: Fired) -> Self {
        Self { name: name.into(), weight, evidence }
    }
}

/// A step of the walk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Which check.
    pub step: String,
    /// What it says of the address.
    pub result: String,
}
