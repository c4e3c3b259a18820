//! Rules on `ClientHello`s.

use crate::rule::{Pattern, RuleAction};
use serde::{Deserialize, Serialize};

/// A rule on `ClientHello`s.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleEntry {
    /// What it is about.
    pub pattern: Pattern,
    /// What happens.
    pub action: RuleAction,
    /// `enforce` or `shadow`.
    pub mode: String,
    /// Why it doesn't do what it says, if it doesn't.
    pub note: Option<String>,
    /// Hellos that it was about.
    pub matched: u64,
    /// Those of them whose connection it has ended.
    pub ended: u64,
    /// Seconds until it ends; never if not said.
    pub expires_in_s: Option<u64>,
    /// Why it is there.
    pub comment: String,
}

/// Makes a rule on `ClientHello`s, or changes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetRule {
    /// What happens; blocking if not said.
    #[serde(default)]
    pub action: RuleAction,
    /// Whether it only counts.
    #[serde(default)]
    pub shadow: bool,
    /// How long it is in force; until it is removed if not said.
    #[serde(default)]
    pub lasts: Option<String>,
    /// Why.
    #[serde(default)]
    pub comment: String,
}
