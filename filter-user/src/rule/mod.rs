//! Rules on `ClientHello`s: on their fingerprint, on parts of it, on what they ask for, or on why
//! they have no fingerprint.
//!
//! Nothing here does I/O or reads a clock. The kernel carries the rules out on the packet that
//! completes a hello, and on the first hello ever. A JA3 alone it learns from the first one. Rules
//! on hellos over QUIC are the daemon's.

mod action;
mod book;
mod pattern;
mod quic;
mod target;

pub use action::RuleAction;
pub use book::{RuleBook, RuleError};
pub use pattern::{Pattern, PatternError};
pub use quic::Match;
pub use target::Target;

use filter_common::abi::Mode;
use filter_common::abi::rule::Rule;
use filter_common::hash::mix;
use serde::{Deserialize, Serialize};

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
    /// Whether the classifier made it; what an operator says takes its place.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
    /// What a hello is made of that it is about, if only a hello could tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learned: Option<Learned>,
}

/// What a hello with a rule's JA3 is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// The kernel's keyed hash of it.
    pub wire: u64,
    /// Tells the secret that it is keyed with from others.
    pub keyed_by: u64,
}

impl Learned {
    /// What a hello told, on a kernel with this secret.
    #[must_use]
    pub const fn of(wire: u64, secret: u64) -> Self {
        Self { wire, keyed_by: Self::mark(secret) }
    }

    /// Whether it means something on a kernel with this secret.
    #[must_use]
    pub const fn is_keyed_by(&self, secret: u64) -> bool {
        self.keyed_by == Self::mark(secret)
    }

    /// Half of a hash: the secret doesn't follow from it.
    const fn mark(secret: u64) -> u64 {
        mix(mix(secret, secret.rotate_left(17)), 0x6c65_6172) >> 32
    }
}

impl HelloRule {
    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self, unix_ms: u64) -> bool {
        self.expires_unix_ms.is_some_and(|expires| expires <= unix_ms)
    }

    /// As the kernel has it.
    #[must_use]
    pub const fn to_kernel(&self, placed: &Placed) -> Rule {
        let action = match self.action {
            RuleAction::Block => Rule::BLOCK,
            RuleAction::Reset => Rule::RESET,
            // A limit that is off limits nobody.
            RuleAction::Limit(_) if placed.profile == 0 => Rule::NONE,
            RuleAction::Limit(_) => Rule::LIMIT,
        };
        let mode = if self.shadow { Mode::SHADOW.0 } else { Mode::ENFORCE.0 };
        let Placed { number, profile, expires_ns } = *placed;
        Rule { expires_ns, number, action, mode, profile }
    }
}

/// What the kernel knows of a rule by numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Where its hits are counted.
    pub number: u32,
    /// The limit that it names; zero if none.
    pub profile: u16,
    /// The moment it ends, on the kernel's clock.
    pub expires_ns: u64,
}

#[cfg(test)]
mod tests;
