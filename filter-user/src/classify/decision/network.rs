//! Clients as networks, and what lies around them.

use filter_common::abi::client::ClientKey;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::Ipv6Addr;

/// A client as a network: an IPv4 address, or an IPv6 /64.
#[must_use]
pub fn of(client: ClientKey) -> IpNet {
    narrowed(client, 32, 64)
}

/// What lies around a client, the narrowest first, and which of up to 256 parts of it the
/// client belongs to.
#[must_use]
pub fn around(client: ClientKey) -> Vec<(IpNet, u8)> {
    let byte = |number: u64, at: usize| number.to_be_bytes()[at];
    match of(client) {
        IpNet::V4(_) => vec![(narrowed(client, 24, 0), byte(client.low, 7))],
        IpNet::V6(_) => [(56, 7), (48, 6)]
            .map(|(bits, at)| (narrowed(client, 0, bits), byte(client.high, at)))
            .to_vec(),
    }
}

/// Whether two networks have an address in common.
#[must_use]
pub fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

fn narrowed(client: ClientKey, v4_bits: u8, v6_bits: u8) -> IpNet {
    let v6 = Ipv6Addr::from_bits(u128::from(client.high) << 64 | u128::from(client.low));
    let network = match v6.to_ipv4_mapped() {
        Some(v4) => Ipv4Net::new(v4, v4_bits).map(IpNet::from),
        None => Ipv6Net::new(v6, v6_bits).map(IpNet::from),
    };
    network.map_or_else(|_| IpNet::from(std::net::IpAddr::from(v6)), |network| network.trunc())
}

#[cfg(test)]
pub(super) fn client(text: &str) -> ClientKey {
    let bits = match text.parse().unwrap() {
        std::net::IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        std::net::IpAddr::V6(v6) => v6.to_bits() >> 64 << 64,
    };
    let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap();
    ClientKey { high: half(bits >> 64), low: half(bits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_lie_in_wider_networks() {
        let shown = |text| {
            let around = around(client(text));
            let around = around.iter().map(|(network, part)| format!("{network} {part}"));
            (of(client(text)).to_string(), around.collect::<Vec<_>>())
        };
        assert_eq!(shown("192.0.2.7"), ("192.0.2.7/32".into(), vec!["192.0.2.0/24 7".into()]));
        let v6 = vec!["2001:db8:1:200::/56 3".into(), "2001:db8:1::/48 2".into()];
        assert_eq!(shown("2001:db8:1:203::9"), ("2001:db8:1:203::/64".into(), v6));
    }

    #[test]
    fn networks_overlap_either_way() {
        let overlaps = |a: &str, b: &str| overlap(&a.parse().unwrap(), &b.parse().unwrap());
        assert!(overlaps("192.0.2.0/24", "192.0.2.7/32") && overlaps("::1/128", "::/64"));
        assert!(!overlaps("192.0.2.0/24", "192.0.3.0/24") && !overlaps("0.0.0.0/0", "::/0"));
    }
}
