//! Whom a verdict is about, as people write it.

use crate::policy::parse_prefix;
use filter_common::abi::client::ClientKey;
use filter_common::abi::width::{VerdictKey, Width};
use filter_common::wire::address::Address;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address, which means its client, or a prefix that a verdict can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// What was written; an address as the prefix that holds nothing else.
    pub named: IpNet,
    /// What the verdict is about.
    pub key: VerdictKey,
    /// Whether host bits were written and have been cleared.
    pub had_host_bits: bool,
}

/// A text that is nobody a verdict can be about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Neither address nor prefix.
    #[error(transparent)]
    Text(#[from] crate::policy::PrefixError),
    /// A prefix of another length.
    #[error(
        "a verdict can't be about a prefix of the length of {0}; an address, or a prefix of \
         /32 or /24 in IPv4, of /128, /64, /56 or /48 in IPv6, can have one; the blocklist takes any"
    )]
    Width(IpNet),
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let parsed = parse_prefix(text)?;
        let (named, had_host_bits) = (parsed.prefix, parsed.had_host_bits);
        let key = match text.parse::<IpAddr>() {
            Ok(address) => client_of(address).into(),
            Err(_) => key_of(&named).ok_or(TargetError::Width(named))?,
        };
        Ok(Self { named, key, had_host_bits })
    }
}

/// The address as the program has it, IPv4 mapped.
#[must_use]
pub fn address_of(address: IpAddr) -> Address {
    let bits = match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
    Address { high: half(bits >> 64), low: half(bits) }
}

/// The client that an address belongs to.
#[must_use]
pub fn client_of(address: IpAddr) -> ClientKey {
    address_of(address).client()
}

/// The key of a prefix; `None` when its length isn't one of the widths.
#[must_use]
pub fn key_of(prefix: &IpNet) -> Option<VerdictKey> {
    let address = address_of(prefix.network());
    let len = match prefix {
        IpNet::V4(v4) => u64::from(v4.prefix_len() + MAPPED_BITS),
        IpNet::V6(v6) => u64::from(v6.prefix_len()),
    };
    let width = Width::ALL.into_iter().find(|width| width.len == len)?;
    let belongs = width.bit & Width::bits_of(&address) != 0;
    belongs.then(|| width.key(&address))
}

/// The key as a prefix.
#[must_use]
pub fn prefix_of(key: &VerdictKey) -> IpNet {
    let (address, len) = (key.address(), u8::try_from(key.len).unwrap_or(u8::MAX));
    if address.is_v4() {
        let v4 = Ipv4Addr::from_bits(address.tail());
        let len = len.saturating_sub(MAPPED_BITS);
        return Ipv4Net::new(v4, len).map_or_else(|_| IpAddr::from(v4).into(), IpNet::from);
    }
    let v6 = Ipv6Addr::from_bits(u128::from(address.high) << 64 | u128::from(address.low));
    Ipv6Net::new(v6, len).map_or_else(|_| IpAddr::from(v6).into(), IpNet::from)
}

/// The bits in front of an IPv4 address in its mapped form.
const MAPPED_BITS: u8 = 96;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let target: Result<Target, _> = text.parse();
        target.map_or_else(|error| error.to_string(), |target| prefix_of(&target.key).to_string())
    }

    #[test]
    fn an_address_is_its_client() {
        assert_eq!(shown("192.0.2.7"), "192.0.2.7/32");
        assert_eq!(shown("::ffff:192.0.2.7"), "192.0.2.7/32");
        assert_eq!(shown("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(shown("::1"), "::/64");
    }

    #[test]
    fn a_prefix_is_itself_without_host_bits() {
        for width in
            ["192.0.2.7/32", "192.0.2.0/24", "2001:db8::1/128", "2001:db8::/64", "2001:db8::/56"]
        {
            assert_eq!(shown(width), width);
        }
        assert_eq!(shown("2001:db8:1:2::3/48"), "2001:db8:1::/48");
        assert!("192.0.2.7/24".parse::<Target>().unwrap().had_host_bits);
        assert_eq!(shown("::ffff:192.0.2.0/120"), "192.0.2.0/24");
        assert_eq!(shown("::/48"), "::/48");
    }

    #[test]
    fn another_length_is_refused_and_the_widths_are_named() {
        for bad in ["192.0.2.0/23", "192.0.2.0/25", "0.0.0.0/0", "2001:db8::/32", "2001:db8::/120"]
        {
            let said = shown(bad);
            assert!(said.contains("/32 or /24") && said.contains("/56 or /48"), "{said}");
        }
        assert!(shown("192.0.2").contains("such as"));
    }

    #[test]
    fn no_two_prefixes_have_one_key() {
        let prefixes = [
            "192.0.2.0/32",
            "192.0.2.0/24",
            "::/48",
            "::/56",
            "::/64",
            "::/128",
            "2001:db8::/64",
            "2001:db8::/128",
        ];
        let keys = prefixes.map(|text| key_of(&text.parse().unwrap()).unwrap());
        let distinct: std::collections::HashSet<_> = keys.into_iter().collect();
        assert_eq!(distinct.len(), prefixes.len());
        assert_eq!(keys.map(|key| prefix_of(&key).to_string()), prefixes);
    }
}
