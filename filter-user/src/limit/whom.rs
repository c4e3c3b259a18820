//! Whom a meter is about.

use filter_common::abi::limit::Profile;
use filter_common::limit::key::{self, Secrets};
use filter_common::wire::address::Address;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The prefix that a meter is about, as long as its profile says.
#[must_use]
pub fn prefix(secrets: &Secrets, profile: &Profile, set: u32, tag: u64) -> IpNet {
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
