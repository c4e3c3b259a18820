//! Who is counted.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitKey {
    /// Each client prefix for itself.
    Client {
        /// Bits of an IPv4 address that make a client.
        v4: u8,
        /// Bits of an IPv6 address that do.
        v6: u8,
    },
    /// Everybody together.
    Service,
    /// Each JA4 for itself.
    Fingerprint,
    /// Each JA4 of each client prefix for itself.
    FingerprintOfClient {
        /// Bits of an IPv4 address that make a client.
        v4: u8,
        /// Bits of an IPv6 address that do.
        v6: u8,
    },
}

impl LimitKey {
    /// An IPv4 address, an IPv6 /64.
    pub const CLIENT: Self = Self::Client { v4: 32, v6: 64 };

    /// A JA4 of an IPv4 address or an IPv6 /64.
    pub const FINGERPRINT_OF_CLIENT: Self = Self::FingerprintOfClient { v4: 32, v6: 64 };

    /// Whether it counts by fingerprints, which only rules on `ClientHello`s know.
    #[must_use]
    pub const fn needs_fingerprint(&self) -> bool {
        matches!(self, Self::Fingerprint | Self::FingerprintOfClient { .. })
    }

    /// Whether it counts everybody together.
    #[must_use]
    pub const fn is_service(&self) -> bool {
        matches!(self, Self::Service)
    }
}

impl Default for LimitKey {
    fn default() -> Self {
        Self::CLIENT
    }
}

/// A key that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no key such as client, client/24/56, service, fingerprint or fingerprint+client/24/56"
)]
pub struct KeyError(String);

impl FromStr for LimitKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let said = || KeyError(text.chars().take(40).collect());
        let len = |part: Option<&str>| part.and_then(|part| part.parse().ok()).ok_or_else(said);
        let mut parts = text.split('/');
        match (parts.next(), parts.clone().count()) {
            (Some("service"), 0) => Ok(Self::Service),
            (Some("client"), 0) => Ok(Self::CLIENT),
            (Some("client"), 2) => {
                Ok(Self::Client { v4: len(parts.next())?, v6: len(parts.next())? })
            }
            (Some("fingerprint"), 0) => Ok(Self::Fingerprint),
            (Some("fingerprint+client"), 0) => Ok(Self::FINGERPRINT_OF_CLIENT),
            (Some("fingerprint+client"), 2) => {
                Ok(Self::FingerprintOfClient { v4: len(parts.next())?, v6: len(parts.next())? })
            }
            _ => Err(said()),
        }
    }
}

impl fmt::Display for LimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => f.pad("service"),
            &Self::CLIENT => f.pad("client"),
            Self::Client { v4, v6 } => write!(f, "client/{v4}/{v6}"),
            Self::Fingerprint => f.pad("fingerprint"),
            &Self::FINGERPRINT_OF_CLIENT => f.pad("fingerprint+client"),
            Self::FingerprintOfClient { v4, v6 } => write!(f, "fingerprint+client/{v4}/{v6}"),
        }
    }
}

impl Serialize for LimitKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LimitKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
