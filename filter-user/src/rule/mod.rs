//! Rules on `ClientHello`s: on their fingerprint, on parts of it, or on why they have none.
//!
//! Nothing here does I/O or reads a clock. The kernel carries the rules out on the packet that
//! completes a hello, and on the first hello ever.

mod book;
mod pattern;

pub use book::{RuleBook, RuleError};
pub use pattern::{Pattern, PatternError, Target};

use filter_common::abi::Mode;
use filter_common::abi::rule::Rule;
use serde::{Deserialize, Serialize};

/// What happens to a hello that a rule is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleAction {
    /// The packet is dropped, and so is what else comes of its connection.
    #[default]
    Block,
    /// The local stack gets a TCP reset in the packet's place, and frees the connection.
    Reset,
}

impl RuleAction {
    /// The name that operators see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Reset => "reset",
        }
    }
}

/// A rule, as it is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HelloRule {
    /// What happens.
    pub action: RuleAction,
    /// Whether it only counts.
    pub shadow: bool,
    /// When it ends, in milliseconds since 1970; never if not said.
    pub expires_unix_ms: Option<u64>,
    /// Why it is there, in an operator's words.
    pub comment: String,
}

impl HelloRule {
    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self, unix_ms: u64) -> bool {
        self.expires_unix_ms.is_some_and(|expires| expires <= unix_ms)
    }

    /// As the kernel has it: under this number, and until this moment on its clock.
    #[must_use]
    pub const fn to_kernel(&self, number: u32, expires_ns: u64) -> Rule {
        let action = match self.action {
            RuleAction::Block => Rule::BLOCK,
            RuleAction::Reset => Rule::RESET,
        };
        let mode = if self.shadow { Mode::SHADOW.0 } else { Mode::ENFORCE.0 };
        Rule { expires_ns, number, action, mode, reserved: 0 }
    }
}

#[cfg(test)]
mod tests;
