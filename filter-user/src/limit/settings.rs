//! What one limit says.

use super::amount::Short;
use super::key::LimitKey;
use super::per::{QuotaPer, RatePer, Window};
use super::service::Service;
use super::unit::Unit;
use super::written::Written;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

/// What one limit says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct LimitSettings {
    /// What is counted.
    pub unit: Unit,
    /// How much of it.
    pub allowance: Allowance,
    /// Of whom.
    pub key: LimitKey,
    /// For what; nothing at all is for whatever names the limit.
    pub services: Vec<Service>,
    /// What happens beyond.
    pub action: LimitAction,
    /// Whether half of the burst is kept for clients that have proved themselves.
    pub guard: bool,
}

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// It comes back evenly.
    Rate {
        /// How fast.
        rate: RatePer,
        /// What may come at once.
        burst: NonZeroU64,
    },
    /// It comes back all at once, when the window ends that the first use began.
    Quota {
        /// How much.
        cap: NonZeroU64,
        /// How long.
        window: Window,
    },
}

/// What happens to what is beyond a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitAction {
    /// It is dropped.
    #[default]
    Drop,
    /// The local stack gets a TCP reset in its place; what isn't a segment of an open
    /// connection is dropped.
    Reset,
    /// It passes and is counted.
    Shadow,
    /// The limit isn't there.
    Off,
}

impl LimitSettings {
    /// Whether it is a quota.
    #[must_use]
    pub const fn is_quota(&self) -> bool {
        matches!(self.allowance, Allowance::Quota { .. })
    }

    /// Whether it is there.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.action != LimitAction::Off
    }

    /// Whether rules on `ClientHello`s can name it.
    #[must_use]
    pub fn fits_rules(&self) -> bool {
        self.unit == Unit::Handshakes && !self.key.is_service()
    }

    /// Whether what was counted under these settings means the same under others.
    #[must_use]
    pub fn counts_like(&self, other: &Self) -> bool {
        let kind = |s: &Self| (s.unit, s.key, s.is_quota());
        kind(self) == kind(other)
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Rate { rate, burst } => write!(f, "{rate}, burst {}", Short(burst.get())),
            Self::Quota { cap, window } => write!(f, "{}", QuotaPer { cap, window }),
        }
    }
}

impl LimitAction {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Reset => "reset",
            Self::Shadow => "shadow",
            Self::Off => "off",
        }
    }
}

/// An action that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no action; there are drop, reset, shadow and off")]
pub struct ActionError(String);

impl FromStr for LimitAction {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        let all = [Self::Drop, Self::Reset, Self::Shadow, Self::Off];
        let found = all.into_iter().find(|action| action.name() == text);
        found.ok_or_else(|| ActionError(text.chars().take(40).collect()))
    }
}

impl fmt::Display for LimitAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
