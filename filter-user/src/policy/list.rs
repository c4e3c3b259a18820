//! A list: a name, what it does, and its entries.

use super::entries::Entries;
use filter_common::abi::Mode;
use filter_common::abi::address::{AddressClass, ListId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a list does with the addresses that it holds.
///
/// *Shape*: written `allow`, `block` or `limit:PROFILE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ListAction {
    /// They pass, and nothing else is asked. Wins over every other list.
    Allow,
    /// They are dropped.
    Block,
    /// They are held to a limit profile of the configuration, each client for itself,
    /// instead of the host's packet limit.
    Limit(String),
}

/// A text that is no action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no action; there are allow, block and limit:PROFILE")]
pub struct ActionError(String);

impl FromStr for ListAction {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        match (text, text.strip_prefix("limit:")) {
            ("allow", _) => Ok(Self::Allow),
            ("block", _) => Ok(Self::Block),
            (_, Some(profile)) if !profile.is_empty() => Ok(Self::Limit(profile.into())),
            _ => Err(ActionError(text.chars().take(60).collect())),
        }
    }
}

impl TryFrom<String> for ListAction {
    type Error = ActionError;

    fn try_from(text: String) -> Result<Self, ActionError> {
        text.parse()
    }
}

impl From<ListAction> for String {
    fn from(action: ListAction) -> Self {
        action.to_string()
    }
}

impl fmt::Display for ListAction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => out.write_str("allow"),
            Self::Block => out.write_str("block"),
            Self::Limit(profile) => write!(out, "limit:{profile}"),
        }
    }
}

impl ListAction {
    /// The number that the kernel knows.
    #[must_use]
    pub const fn number(&self) -> u8 {
        match self {
            Self::Allow => AddressClass::ALLOW,
            Self::Block => AddressClass::BLOCK,
            Self::Limit(_) => AddressClass::LIMIT,
        }
    }
}

/// What a list is, apart from its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSettings {
    /// What it does.
    pub action: ListAction,
    /// Whether it does so, or only counts.
    pub mode: Mode,
    /// Between lists that say different things of an address, the higher one wins; among
    /// equals the longer prefix does.
    pub priority: i32,
}

/// A list.
#[derive(Clone, Debug)]
pub struct List {
    /// Its number in the kernel's counters.
    pub id: ListId,
    /// What it is.
    pub settings: ListSettings,
    /// Its entries.
    pub entries: Entries,
}

/// A name that a list or a limit can't have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name: a name has up to 48 of a-z, A-Z, 0-9, '.', '_' and '-', and no '.' first"
)]
pub struct NameError(String);

/// Checks the name of a list or a limit.
///
/// *Errors*: [`NameError`].
pub fn check_name(name: &str) -> Result<(), NameError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fits = (1..=MAX_NAME).contains(&name.len());
    if fits && name.chars().all(plain) && !name.starts_with('.') {
        return Ok(());
    }
    Err(NameError(name.chars().take(MAX_NAME).collect()))
}

/// Bytes of a list's name.
const MAX_NAME: usize = 48;
