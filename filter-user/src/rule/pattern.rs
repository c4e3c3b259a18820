//! What a rule is about, as it is typed.

use super::target::{Target, causes};
use filter_common::abi::limit::UDP_PORTS;
use filter_common::abi::rule::RuleKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// What a rule is about: a kind of hello, and the service that it is for.
///
/// *Shape*: a [`Target`], and behind it `@tcp/443`, or `@udp/443` for QUIC, for one service alone.
/// A text and its pattern are the same thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    /// Which hellos.
    pub target: Target,
    /// The server's port; any if not said.
    pub port: Option<u16>,
}

/// A text that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// What it is about isn't known.
    #[error(
        "{0:?} is no pattern such as ja4:t13d1516h2_*_e5627efa2ab1, ja3:SUM, sni:*.example.com, \
         alpn:h2, tls:1.0, cause:conflict or any"
    )]
    Kind(String),
    /// A part of a JA4 is none.
    #[error(
        "{0:?} is no JA4: three parts of 10, 12 and 12 characters, the first with a t (TCP) or a q \
         (QUIC) in front, of which some may be *"
    )]
    Ja4(String),
    /// Every part of a JA4 may be anything.
    #[error("{0:?} is about every hello; say one part at least, or `any`")]
    Everything(String),
    /// A JA3 is none.
    #[error("{0:?} is no JA3: 32 hex digits in small letters")]
    Ja3(String),
    /// A server's name is none.
    #[error(
        "{0:?} is no name of a server such as api.example.com, *.example.com for all below it, or \
         none; international names are written as on the wire, xn--..."
    )]
    Server(String),
    /// A suffix is too deep.
    #[error("{0:?} has more than eight labels, which are all that is looked for")]
    Labels(String),
    /// A protocol is none.
    #[error("{0:?} is no name of a protocol such as h2, http/1.1 or none")]
    Protocol(String),
    /// There is no such version.
    #[error("{0:?} is no TLS version: 1.0, 1.1, 1.2, 1.3, ssl2 or ssl3")]
    Version(String),
    /// There is no such cause.
    #[error("{0:?} is no cause; those that the kernel can act on are {names}", names = causes())]
    Cause(String),
    /// The service is no port.
    #[error("{0:?} is no service such as tcp/443, or udp/443 for QUIC")]
    Service(String),
    /// The service is one of another protocol.
    #[error(
        "{0:?} mixes TCP and QUIC: a JA4 with q in front goes with udp/PORT, one with t and \
         everything else with tcp/PORT"
    )]
    Mixed(String),
}

impl Pattern {
    /// The pattern of exactly this JA4.
    ///
    /// *Errors*: [`PatternError`].
    pub fn ja4(text: &str) -> Result<Self, PatternError> {
        Ok(Self { target: Target::ja4(text)?, port: None })
    }

    /// Whether hellos with this JA4 are what it is about, as far as that says it.
    #[must_use]
    pub fn fits(&self, ja4: &str) -> bool {
        self.target.fits(ja4)
    }

    /// Whether it is about hellos over QUIC. The kernel holds such a rule and never finds it.
    #[must_use]
    pub const fn is_quic(&self) -> bool {
        matches!(self.target, Target::Quic(_))
    }

    /// Where the kernel looks for it, which keys names with a secret. `None`: that is learned
    /// from the first such hello, by [`Pattern::key_of_wire`].
    #[must_use]
    pub fn key(&self, secret: u64) -> Option<RuleKey> {
        let (kind, parts) = self.target.key(secret)?;
        Some(RuleKey { kind, service: self.service(), parts })
    }

    /// Where the kernel looks for hellos like one of which this is the hash.
    #[must_use]
    pub fn key_of_wire(&self, wire: u64) -> RuleKey {
        RuleKey { kind: RuleKey::WIRE, service: self.service(), parts: RuleKey::hash(wire) }
    }

    fn service(&self) -> u32 {
        let protocol = if self.is_quic() { UDP_PORTS } else { 0 };
        self.port.map_or(RuleKey::ANY_SERVICE, |port| protocol | u32::from(port))
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let Some((target, service)) = text.split_once('@') else {
            return Ok(Self { target: text.parse()?, port: None });
        };
        let (is_udp, port) = match service.split_once('/') {
            Some(("tcp", port)) => (false, port.parse().ok()),
            Some(("udp", port)) => (true, port.parse().ok()),
            _ => (false, None),
        };
        let wrong = || PatternError::Service(service.to_owned());
        let port = Some(port.filter(|port| *port != 0).ok_or_else(wrong)?);
        let target = match target.parse()? {
            Target::Ja4([None, b, c]) if is_udp => Target::Quic([None, b, c]),
            target if is_udp == matches!(target, Target::Quic(_)) => target,
            _ => return Err(PatternError::Mixed(text.to_owned())),
        };
        Ok(Self { target, port })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.target.fmt(f)?;
        let protocol = if self.is_quic() { "udp" } else { "tcp" };
        self.port.map_or(Ok(()), |port| write!(f, "@{protocol}/{port}"))
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
