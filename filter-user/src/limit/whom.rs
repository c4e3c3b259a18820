//! Whom a meter is about.

use filter_common::abi::limit::Profile;
use filter_common::limit::key::{self, Secrets};
use filter_common::wire::address::Address;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Whom a meter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// A client's prefix, as long as its profile says.
    Client(IpNet),
    /// A JA4, by its keyed hash.
    Fingerprint(u64),
    /// A JA4 of a client, of whom the meter doesn't tell.
    Pair,
}

impl Whom {
    /// What a meter says of it.
    #[must_use]
    pub fn of(secrets: &Secrets, profile: &Profile, set: u32, tag: u64) -> Self {
        match profile.key {
            Profile::BY_FINGERPRINT => Self::Fingerprint(key::fingerprint(secrets, set, tag)),
            Profile::BY_FINGERPRINT_OF_CLIENT => Self::Pair,
            _ => Self::Client(prefix(secrets, profile, set, tag)),
        }
    }

    /// The same for people, with what is known of the names of fingerprints.
    #[must_use]
    pub fn named(&self, ja4: impl FnOnce(u64) -> Option<String>) -> String {
        match self {
            Self::Fingerprint(name) => ja4(*name).unwrap_or_else(|| self.to_string()),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(prefix) => prefix.fmt(f),
            Self::Fingerprint(_) => f.write_str("a fingerprint that isn't remembered"),
            Self::Pair => f.write_str("a fingerprint of a client"),
        }
    }
}

fn prefix(secrets: &Secrets, profile: &Profile, set: u32, tag: u64) -> IpNet {
    let client = key::client(secrets, set, tag);
    let address = Address { high: client.high, low: client.low };
    if address.is_v4() {
        let len = u8::try_from(profile.v4_mask.count_ones()).unwrap_or(32);
        let net = Ipv4Net::new(Ipv4Addr::from_bits(address.tail()), len).unwrap_or_default();
        return net.trunc().into();
    }
    let bits = u128::from(address.high) << 64;
    let len = u8::try_from(profile.v6_mask.count_ones()).unwrap_or(64);
    Ipv6Net::new(Ipv6Addr::from_bits(bits), len).unwrap_or_default().trunc().into()
}
