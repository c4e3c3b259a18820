//! What a limit is for: protocols and destination ports.

use filter_common::abi::limit::{ICMP, OTHER, TCP_NO_PORT, UDP_NO_PORT, UDP_PORTS};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Some ports of a protocol.
///
/// *Shape*: ports zero to 65,535 stand for all of a protocol, whose packets without a port
/// belong to it as well: later fragments and broken headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Service {
    /// The protocol.
    pub protocol: Protocol,
    /// The first port.
    pub first: u16,
    /// The last one.
    pub last: u16,
}

/// A protocol that services have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Every one.
    Any,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP of both families.
    Icmp,
}

/// A service that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// The protocol isn't known.
    #[error("{0:?} is no service such as any, tcp, udp, icmp, tcp/443 or udp/8000-8100")]
    Protocol(String),
    /// A port isn't one.
    #[error("{0:?} has a port that isn't between 1 and 65535")]
    Port(String),
    /// The range ends before it begins.
    #[error("{0:?} has a range of ports that ends before it begins")]
    Reversed(String),
    /// Only TCP and UDP have ports.
    #[error("{0:?} has a port, and only tcp and udp have ports")]
    Portless(String),
}

impl Service {
    /// Every packet.
    pub const ANY: Self = Self::all_of(Protocol::Any);

    /// All of a protocol.
    #[must_use]
    pub const fn all_of(protocol: Protocol) -> Self {
        Self { protocol, first: 0, last: u16::MAX }
    }

    /// Whether it is all of its protocol.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.first == 0 && self.last == u16::MAX
    }

    /// Whether TCP is in it.
    #[must_use]
    pub const fn has_tcp(&self) -> bool {
        matches!(self.protocol, Protocol::Any | Protocol::Tcp)
    }

    /// The kernel's numbers of it.
    #[must_use]
    pub fn numbers(&self) -> Vec<RangeInclusive<u32>> {
        let (first, last) = (u32::from(self.first), u32::from(self.last));
        let ports = |base: u32| base + first..=base + last;
        match self.protocol {
            Protocol::Any => vec![0..=OTHER],
            Protocol::Icmp => vec![ICMP..=ICMP],
            Protocol::Tcp if self.is_whole() => vec![ports(0), TCP_NO_PORT..=TCP_NO_PORT],
            Protocol::Udp if self.is_whole() => vec![ports(UDP_PORTS), UDP_NO_PORT..=UDP_NO_PORT],
            Protocol::Tcp => vec![ports(0)],
            Protocol::Udp => vec![ports(UDP_PORTS)],
        }
    }
}

/// The service with a kernel's number, for messages.
#[must_use]
pub fn name_of(number: u32) -> String {
    match number {
        TCP_NO_PORT => "tcp without a port".into(),
        UDP_NO_PORT => "udp without a port".into(),
        ICMP => "icmp".into(),
        OTHER => "other protocols".into(),
        number if number >= UDP_PORTS => format!("udp/{}", number - UDP_PORTS),
        number => format!("tcp/{number}"),
    }
}

impl Protocol {
    const ALL: [Self; 4] = [Self::Any, Self::Tcp, Self::Udp, Self::Icmp];

    const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.protocol.name();
        match (self.first, self.last) {
            (0, u16::MAX) => f.pad(name),
            (first, last) if first == last => write!(f, "{name}/{first}"),
            (first, last) => write!(f, "{name}/{first}-{last}"),
        }
    }
}

impl FromStr for Service {
    type Err = ServiceError;

    fn from_str(text: &str) -> Result<Self, ServiceError> {
        let said = || text.chars().take(40).collect::<String>();
        let (name, ports) = text.split_once('/').unwrap_or((text, "any"));
        let protocol = Protocol::ALL.into_iter().find(|known| known.name() == name);
        let protocol = protocol.ok_or_else(|| ServiceError::Protocol(said()))?;
        if ports == "any" {
            return Ok(Self::all_of(protocol));
        }
        if !matches!(protocol, Protocol::Tcp | Protocol::Udp) {
            return Err(ServiceError::Portless(said()));
        }
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let [first, last] = [first, last].map(port);
        let (Some(first), Some(last)) = (first, last) else {
            return Err(ServiceError::Port(said()));
        };
        if first > last {
            return Err(ServiceError::Reversed(said()));
        }
        Ok(Self { protocol, first, last })
    }
}

fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

impl Serialize for Service {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Service {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
