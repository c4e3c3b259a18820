//! Decisions: what follows from what clients are and do.
//!
//! A [`policy`] says what follows from a class and a score. [`judge`] keeps the evidence,
//! asks the policy, and escalates. Each decision says what it rests on and when it ends.

pub mod cases;
pub mod exception;
pub mod judge;
pub mod neighbour;
pub mod network;
pub mod policy;
pub mod record;

use super::judgement::Class;
use crate::fingerprint::Ja4;
use crate::verdict::client_of;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Whom a decision is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whom {
    /// A client, or all of a prefix.
    Network(IpNet),
    /// All clients with a JA4.
    Fingerprint(String),
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is noted.
    Watch,
    /// It gets the throttle limit.
    Limit,
    /// Every packet is dropped.
    Block,
}

/// A signal that fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its name.
    pub name: String,
    /// What it counts.
    pub weight: u32,
    /// What it saw.
    pub evidence: String,
    /// Since when it fires, in milliseconds since 1970.
    pub since_ms: u64,
}

/// A decision, and all that explains it.
///
/// *Units*: milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// About whom.
    pub whom: Whom,
    /// At which service, as the policy names it.
    pub service: String,
    /// What happens.
    pub action: Action,
    /// Whether that is only counted.
    pub shadow: bool,
    /// What it is.
    pub class: Class,
    /// The sum of the weights, at most 100.
    pub score: u32,
    /// What it rests on.
    pub findings: Vec<Finding>,
    /// The line of the policy that made it.
    pub line: String,
    /// Why it is less than that line says.
    pub narrowed: Option<String>,
    /// The JA4 that brought it about, if one is known.
    #[serde(default)]
    pub ja4: Option<String>,
    /// Whether it rests on the class alone: what is limited for that isn't blocked while it is.
    #[serde(default)]
    pub by_class: bool,
    /// Which one it is about the same, from 1; zero if it is only noted.
    pub strike: u32,
    /// When it was made.
    pub at_ms: u64,
    /// When it ends.
    pub ends_ms: u64,
}

impl Whom {
    /// Whether somebody is meant by both.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Network(a), Self::Network(b)) => network::overlap(a, b),
            _ => self == other,
        }
    }
}

impl Action {
    /// The name that operators see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Limit => "limit",
            Self::Block => "block",
        }
    }
}

/// A text that names nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is neither an address or a prefix, such as 192.0.2.7 or 2001:db8::/48, nor a JA4, such \
     as t13d1516h2_8daaf6152771_e5627efa2ab1"
)]
pub struct WhomError(String);

impl FromStr for Whom {
    type Err = WhomError;

    /// An address stands for its client: in IPv6 for its /64.
    fn from_str(text: &str) -> Result<Self, WhomError> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Network(network::of(client_of(address))));
        }
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(Self::Network(net.trunc()));
        }
        let ja4 = text.parse::<Ja4>().map(|ja4| Self::Fingerprint(ja4.to_string()));
        ja4.map_err(|_| WhomError(text.chars().take(60).collect()))
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Fingerprint(ja4) => f.write_str(ja4),
        }
    }
}

impl Decision {
    /// What it rests on, in one line.
    #[must_use]
    pub fn reason(&self) -> String {
        let said = |finding: &Finding| format!("{} ({})", finding.name, finding.evidence);
        let findings: Vec<String> = self.findings.iter().map(said).collect();
        let whose =
            if findings.is_empty() { self.class.name().into() } else { findings.join(", ") };
        format!("{}: {whose}", self.line)
    }
}

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_is_a_client_a_prefix_or_a_fingerprint() {
        let read = |text: &str| text.parse::<Whom>().map(|whom| whom.to_string());
        assert_eq!(read("192.0.2.7").unwrap(), "192.0.2.7/32");
        assert_eq!(read("2001:db8::7").unwrap(), "2001:db8::/64");
        assert_eq!(read("192.0.2.7/24").unwrap(), "192.0.2.0/24");
        let ja4 = "t13d1516h2_8daaf6152771_e5627efa2ab1";
        assert_eq!(read(ja4).unwrap(), ja4);
        assert!(["", "curl", "192.0.2", "t13"].iter().all(|text| read(text).is_err()));
    }
}
