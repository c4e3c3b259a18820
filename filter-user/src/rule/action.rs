//! What happens to a hello that a rule is about.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What happens to a hello that a rule is about.
///
/// *Shape*: written `block`, `reset` or `limit:PROFILE`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum RuleAction {
    /// The packet is dropped, and so is what else comes of its connection.
    #[default]
    Block,
    /// The local stack gets a TCP reset in the packet's place, and frees the connection.
    Reset,
    /// The hello is charged to a limit profile, and what that refuses is treated as it says.
    Limit(String),
}

/// A text that is no action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no action; there are block, reset and limit:PROFILE")]
pub struct ActionError(String);

impl FromStr for RuleAction {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        match (text, text.strip_prefix("limit:")) {
            ("block", _) => Ok(Self::Block),
            ("reset", _) => Ok(Self::Reset),
            (_, Some(profile)) if !profile.is_empty() => Ok(Self::Limit(profile.into())),
            _ => Err(ActionError(text.chars().take(60).collect())),
        }
    }
}

impl TryFrom<String> for RuleAction {
    type Error = ActionError;

    fn try_from(text: String) -> Result<Self, ActionError> {
        text.parse()
    }
}

impl From<RuleAction> for String {
    fn from(action: RuleAction) -> Self {
        action.to_string()
    }
}

impl fmt::Display for RuleAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block => f.write_str("block"),
            Self::Reset => f.write_str("reset"),
            Self::Limit(profile) => write!(f, "limit:{profile}"),
        }
    }
}
