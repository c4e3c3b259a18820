//! Versions of QUIC whose Initial packets can be read.

use serde::Serialize;
use std::fmt;

/// A version of QUIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Version {
    /// RFC 9000, `0x00000001`.
    V1,
    /// RFC 9369, `0x6b3343cf`.
    V2,
}

/// What a packet with a long header holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
}

impl Version {
    /// The version with that number; `None` if it isn't known.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0x0000_0001 => Some(Self::V1),
            0x6b33_43cf => Some(Self::V2),
            _ => None,
        }
    }

    /// Its number on the wire.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::V1 => 0x0000_0001,
            Self::V2 => 0x6b33_43cf,
        }
    }

    /// The kind of a packet by its first byte.
    ///
    /// *Source*: RFC 9000 section 17.2, RFC 9369 section 3.2.
    pub(super) const fn kind(self, first: u8) -> Kind {
        let number = (first >> 4) & 3;
        let as_v1 = match self {
            Self::V1 => number,
            Self::V2 => number.wrapping_sub(1) & 3,
        };
        match as_v1 {
            0 => Kind::Initial,
            1 => Kind::ZeroRtt,
            2 => Kind::Handshake,
            _ => Kind::Retry,
        }
    }

    /// As the library that derives the keys calls it.
    pub(super) const fn for_keys(self) -> rustls::quic::Version {
        match self {
            Self::V1 => rustls::quic::Version::V1,
            Self::V2 => rustls::quic::Version::V2,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_version_counts_its_kinds_from_elsewhere() {
        let kinds = |version: Version| [0xc0, 0xd0, 0xe0, 0xf0].map(|first| version.kind(first));
        let [initial, zero, handshake, retry] =
            [Kind::Initial, Kind::ZeroRtt, Kind::Handshake, Kind::Retry];
        assert_eq!(kinds(Version::V1), [initial, zero, handshake, retry]);
        assert_eq!(kinds(Version::V2), [retry, initial, zero, handshake]);
    }

    #[test]
    fn a_number_and_back_is_the_same() {
        for version in [Version::V1, Version::V2] {
            assert_eq!(Version::from_number(version.number()), Some(version));
        }
        assert_eq!(Version::from_number(0), None);
        assert_eq!(Version::from_number(0xff00_001d), None);
    }
}
