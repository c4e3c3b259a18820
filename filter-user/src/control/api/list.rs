//! Lists and their entries.

use super::Traffic;
use crate::policy::list::ListAction;
use serde::{Deserialize, Serialize};

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
