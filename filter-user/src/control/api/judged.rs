//! What the classifier holds of clients, what it decided, and what operators say to that.

use crate::classify::decision::Decision;
use crate::classify::decision::judge::{GroupStanding, Standing};
use crate::rule::Pattern;
use serde::{Deserialize, Serialize};

use super::FingerprintEntry;

/// Lifts what was decided about somebody.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forgive {
    /// An address, a prefix or a JA4.
    pub whom: String,
}

/// Lifts what was decided about somebody, and has nothing more decided about him.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FalsePositive {
    /// An address, a prefix or a JA4.
    pub whom: String,
    /// Why, in an operator's words.
    #[serde(default)]
    pub reason: String,
    /// How long, such as `30d`; until it is taken back if not said.
    #[serde(default)]
    pub lasts: Option<String>,
}

/// What clients do, and what follows from it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Behaviour {
    /// What is held of a client at each service where it was seen of late.
    pub standings: Vec<Standing>,
    /// What was decided about it or about a prefix around it, and is in force.
    pub decisions: Vec<Decision>,
    /// Why nothing is decided about it, if that is so.
    pub exception: Option<String>,
}

/// All that is known of a fingerprint, and what follows from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FingerprintExplanation {
    /// What is remembered of it.
    pub fingerprint: FingerprintEntry,
    /// Its part of all hellos that are remembered, in thousandths.
    pub share_permille: u64,
    /// What is known of it, if anything, before anything was seen.
    pub known: Option<String>,
    /// What is held of its clients together, at each service where they were seen of late.
    pub groups: Vec<GroupStanding>,
    /// What was decided about it, and is in force.
    pub decisions: Vec<Decision>,
    /// Rules that are about it.
    pub rules: Vec<FittingRule>,
    /// Why nothing is decided about it, if that is so.
    pub exception: Option<String>,
    /// How to change it.
    pub way_out: Option<String>,
}

/// A rule that is about a fingerprint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittingRule {
    /// What it is about.
    pub pattern: Pattern,
    /// What happens.
    pub action: String,
    /// `enforce` or `shadow`.
    pub mode: String,
    /// Whether the classifier made it.
    pub automatic: bool,
    /// Why.
    pub comment: String,
    /// Seconds until it ends; never if there are none.
    pub expires_in_s: Option<u64>,
}

/// Decisions that have the same cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRow {
    /// The service.
    pub service: String,
    /// `limit` or `block`.
    pub action: String,
    /// `enforce` or `shadow`.
    pub mode: String,
    /// The line of the policy.
    pub line: String,
    /// What they are.
    pub class: String,
    /// The JA4 that brought it about, if one is known.
    pub ja4: Option<String>,
    /// What it is called, or what is known of it.
    pub label: Option<String>,
    /// How many clients, prefixes and fingerprints it is about.
    pub subjects: usize,
    /// How many of the clients behave as ones that belong here.
    pub good: usize,
    /// Some of them.
    pub examples: Vec<String>,
    /// What the last decision rests on.
    pub reason: String,
    /// When the first of these decisions was made, in milliseconds since 1970.
    pub first_unix_ms: u64,
    /// When the last one was.
    pub last_unix_ms: u64,
}
