//! What a limit counts.

use filter_common::abi::counter::Reason;
use filter_common::abi::limit::Profile;
use filter_common::gcra::Rate;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Packets of every kind.
    Packets,
    /// Bytes of whole frames, Ethernet header included.
    Bytes,
    /// TCP segments that open a connection.
    Connections,
    /// TCP segments that start a TLS ClientHello.
    Handshakes,
}

/// A unit that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no unit; there are packets, bytes, connections and handshakes")]
pub struct UnitError(String);

impl Unit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Packets, Self::Bytes, Self::Connections, Self::Handshakes];

    /// The name that operators see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Packets => "packets",
            Self::Bytes => "bytes",
            Self::Connections => "connections",
            Self::Handshakes => "handshakes",
        }
    }

    /// The unit as the kernel knows it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Packets => Profile::PACKETS,
            Self::Bytes => Profile::BYTES,
            Self::Connections => Profile::CONNECTIONS,
            Self::Handshakes => Profile::HANDSHAKES,
        }
    }

    /// What a packet is counted under that a client's rate of this unit refuses.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Packets => Reason::PACKET_LIMIT,
            Self::Bytes => Reason::BYTE_LIMIT,
            Self::Connections => Reason::CONNECTION_LIMIT,
            Self::Handshakes => Reason::HANDSHAKE_LIMIT,
        }
    }

    /// How fine a rate's ticks are.
    #[must_use]
    pub const fn bits(self) -> u32 {
        if matches!(self, Self::Bytes) { 0 } else { Rate::FINE }
    }

    /// Units a second, at most.
    #[must_use]
    pub const fn max_per_sec(self) -> u64 {
        if matches!(self, Self::Bytes) { Rate::MAX_PER_SEC } else { Rate::MAX_FINE_PER_SEC }
    }

    /// The least that may come at once: all of a super-packet, or one.
    #[must_use]
    pub const fn least(self) -> u64 {
        if matches!(self, Self::Bytes) { 65_536 } else { 1 }
    }

    /// Whether only TCP has it.
    #[must_use]
    pub const fn is_tcp_only(self) -> bool {
        matches!(self, Self::Connections | Self::Handshakes)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Unit {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let found = Self::ALL.into_iter().find(|unit| unit.name() == text);
        found.ok_or_else(|| UnitError(text.chars().take(40).collect()))
    }
}
