//! Who sends the corpus' frames. Rule sets name the same addresses.

use crate::packet::Packet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A source address with a part to play.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The part.
    pub name: &'static str,
    /// The address.
    pub address: IpAddr,
}

impl Source {
    const fn v4(name: &'static str, last: u8) -> Self {
        Self { name, address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)) }
    }

    const fn v6(name: &'static str, subnet: u16) -> Self {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0, subnet, 0, 0, 0, 1);
        Self { name, address: IpAddr::V6(address) }
    }

    /// A packet from here to the protected host.
    #[must_use]
    pub const fn packet(&self) -> Packet {
        match self.address {
            IpAddr::V4(address) => Packet::v4(address.octets(), [198, 51, 100, 7]),
            IpAddr::V6(address) => Packet::v6(address.octets(), SERVER_V6),
        }
    }
}

const SERVER_V6: [u8; 16] = [0x20, 0x01, 0x0d, 0xb8, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];

/// An IPv4 client that no rule names.
pub const PLAIN_V4: Source = Source::v4("a plain IPv4 client", 1);
/// An IPv6 client that no rule names.
pub const PLAIN_V6: Source = Source::v6("a plain IPv6 client", 1);
/// On the blocklist.
pub const BLOCKED: [Source; 2] =
    [Source::v4("a blocked IPv4 client", 2), Source::v6("a blocked IPv6 client", 2)];
/// On the allowlist, inside of a prefix on the blocklist.
pub const ALLOWED: [Source; 2] =
    [Source::v4("an allowed IPv4 client", 3), Source::v6("an allowed IPv6 client", 3)];
/// On a blocklist in shadow.
pub const SHADOWED: [Source; 2] =
    [Source::v4("a shadowed IPv4 client", 4), Source::v6("a shadowed IPv6 client", 4)];
/// With a block verdict.
pub const CONVICTED: [Source; 2] =
    [Source::v4("a convicted IPv4 client", 5), Source::v6("a convicted IPv6 client", 5)];
/// With a block verdict that has ended.
pub const RELEASED: [Source; 2] =
    [Source::v4("a released IPv4 client", 6), Source::v6("a released IPv6 client", 6)];
/// With a throttle verdict.
pub const THROTTLED: [Source; 2] =
    [Source::v4("a throttled IPv4 client", 7), Source::v6("a throttled IPv6 client", 7)];
/// Limited by a list.
pub const LISTED: [Source; 2] =
    [Source::v4("a limited IPv4 client", 9), Source::v6("a limited IPv6 client", 9)];
/// Limited by a list in shadow.
pub const HALF_LISTED: [Source; 2] = [
    Source::v4("a nearly limited IPv4 client", 10),
    Source::v6("a nearly limited IPv6 client", 10),
];
/// In a /24 or a /48 of its own that has a block verdict.
pub const NEIGHBOUR: [Source; 2] = [
    Source {
        name: "an IPv4 client with bad neighbours",
        address: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 8)),
    },
    Source {
        name: "an IPv6 client with bad neighbours",
        address: IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x113, 8, 0, 0, 0, 1)),
    },
];
/// An IPv4 address in an IPv6 header.
pub const MAPPED: Source = Source {
    name: "a mapped client",
    address: IpAddr::V6(Ipv4Addr::new(192, 0, 2, 2).to_ipv6_mapped()),
};

/// All of them.
pub const ALL: &[Source] = &[
    PLAIN_V4,
    PLAIN_V6,
    MAPPED,
    BLOCKED[0],
    BLOCKED[1],
    ALLOWED[0],
    ALLOWED[1],
    SHADOWED[0],
    SHADOWED[1],
    LISTED[0],
    LISTED[1],
    HALF_LISTED[0],
    HALF_LISTED[1],
    CONVICTED[0],
    CONVICTED[1],
    RELEASED[0],
    RELEASED[1],
    THROTTLED[0],
    THROTTLED[1],
    NEIGHBOUR[0],
    NEIGHBOUR[1],
];
