//! What a rule is about, as it is typed.

use filter_common::abi::hello::Cause;
use filter_common::abi::rule::{Parts, RuleKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// What a rule is about: a kind of hello, and the service that it is for.
///
/// *Shape*: `ja4:t13d1516h2_8daaf6152771_e5627efa2ab1`, where each part may be `*`; `tls:1.0`;
/// `cause:conflict`; and behind any of these `@tcp/443` for one service alone. A text and its
/// pattern are the same thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    /// Which hellos.
    pub target: Target,
    /// The server's port; any if not said.
    pub port: Option<u16>,
}

/// Which hellos a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Those whose JA4 has these parts, of which one at least is said.
    Ja4([Option<String>; 3]),
    /// Those whose highest TLS version is this: the two characters of a JA4.
    Version([u8; 2]),
    /// Those that have no fingerprint, for this reason.
    Cause(Cause),
}

/// A text that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// What it is about isn't known.
    #[error("{0:?} is no pattern such as ja4:t13d1516h2_*_e5627efa2ab1, tls:1.0 or cause:conflict")]
    Kind(String),
    /// A part of a JA4 is none.
    #[error(
        "{0:?} is no JA4 of a client over TCP: three parts of 10, 12 and 12 characters, the first \
         with a t in front, of which some may be *"
    )]
    Ja4(String),
    /// Every part of a JA4 may be anything.
    #[error("{0:?} is about every hello; say one part at least")]
    Everything(String),
    /// There is no such version.
    #[error("{0:?} is no TLS version: 1.0, 1.1, 1.2, 1.3, ssl2 or ssl3")]
    Version(String),
    /// There is no such cause.
    #[error("{0:?} is no cause; those that the kernel can act on are {names}", names = causes())]
    Cause(String),
    /// The service is no TCP port.
    #[error("{0:?} is no service such as tcp/443")]
    Service(String),
}

const VERSIONS: [(&str, [u8; 2]); 6] = [
    ("1.0", *b"10"),
    ("1.1", *b"11"),
    ("1.2", *b"12"),
    ("1.3", *b"13"),
    ("ssl2", *b"s2"),
    ("ssl3", *b"s3"),
];

/// Causes that the kernel acts on. Of the last three the end didn't come in time: it is what
/// comes later that is acted on.
const CAUSES: [Cause; 10] = [
    Cause::CONFLICT,
    Cause::TOO_LONG,
    Cause::TOO_MANY_RECORDS,
    Cause::TOO_MANY_SEGMENTS,
    Cause::TOO_MANY_VALUES,
    Cause::TABLE_FULL,
    Cause::MALFORMED,
    Cause::GAP,
    Cause::TIMED_OUT,
    Cause::BAD_CHECKSUM,
];

fn causes() -> String {
    CAUSES.map(Cause::name).join(", ")
}

impl Pattern {
    /// The pattern of exactly this JA4.
    ///
    /// *Errors*: [`PatternError`].
    pub fn ja4(text: &str) -> Result<Self, PatternError> {
        Ok(Self { target: parse_ja4(text)?, port: None })
    }

    /// Whether hellos with this JA4 are what it is about, as far as that says it.
    #[must_use]
    pub fn fits(&self, ja4: &str) -> bool {
        let parts = ja4.split('_');
        match &self.target {
            Target::Ja4(wanted) => wanted
                .iter()
                .zip(parts)
                .all(|(wanted, part)| wanted.as_ref().is_none_or(|wanted| wanted == part)),
            Target::Version(version) => ja4.as_bytes().get(1..3) == Some(version),
            Target::Cause(_) => false,
        }
    }

    /// Where the kernel looks for it.
    #[must_use]
    pub fn key(&self) -> RuleKey {
        let (kind, parts) = match &self.target {
            Target::Ja4(parts) => (kinds(parts), numbers(parts)),
            Target::Version([a, b]) => {
                let version = u64::from(*a) | u64::from(*b) << 8;
                (RuleKey::VERSION, Parts { a: [version, 0], ..Parts::default() })
            }
            Target::Cause(cause) => (RuleKey::CAUSE, RuleKey::cause(*cause)),
        };
        RuleKey { kind, service: self.port.map_or(RuleKey::ANY_SERVICE, u32::from), parts }
    }
}

fn kinds(parts: &[Option<String>; 3]) -> u32 {
    let bits = [RuleKey::A, RuleKey::B, RuleKey::C];
    parts.iter().zip(bits).filter(|(part, _)| part.is_some()).map(|(_, bit)| bit).sum()
}

fn numbers([a, b, c]: &[Option<String>; 3]) -> Parts {
    let sum = |part: &Option<String>| {
        part.as_ref().map_or(0, |text| u64::from_str_radix(text, 16).unwrap_or(0))
    };
    let text = a.as_ref().map_or(&b""[..], |text| text.as_bytes());
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let (first, rest) = text.split_at(text.len().min(8));
    Parts { a: [word(first), word(rest)], b: sum(b), c: sum(c) }
}

fn parse_ja4(text: &str) -> Result<Target, PatternError> {
    let wrong = || PatternError::Ja4(text.to_owned());
    let parts: Vec<&str> = text.split('_').collect();
    let &[a, b, c] = parts.as_slice() else {
        return Err(wrong());
    };
    let is_sum = |part: &str| {
        part.len() == 12 && part.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
    };
    // Over QUIC no hello is fingerprinted on the wire.
    let is_first =
        a.len() == 10 && a.starts_with('t') && a.bytes().all(|c| c.is_ascii_alphanumeric());
    let known = [(a, is_first), (b, is_sum(b)), (c, is_sum(c))];
    if known.iter().any(|(part, fits)| !fits && *part != "*") {
        return Err(wrong());
    }
    if known.iter().all(|(part, _)| *part == "*") {
        return Err(PatternError::Everything(text.to_owned()));
    }
    Ok(Target::Ja4(known.map(|(part, _)| (part != "*").then(|| part.to_owned()))))
}

fn parse_target(text: &str) -> Result<Target, PatternError> {
    let (kind, value) = text.split_once(':').ok_or_else(|| PatternError::Kind(text.to_owned()))?;
    match kind {
        "ja4" => parse_ja4(value),
        "tls" => {
            let found = VERSIONS.iter().find(|(name, _)| *name == value);
            let wrong = || PatternError::Version(value.to_owned());
            found.map(|(_, version)| Target::Version(*version)).ok_or_else(wrong)
        }
        "cause" => {
            let found = CAUSES.into_iter().find(|cause| cause.name() == value);
            found.map(Target::Cause).ok_or_else(|| PatternError::Cause(value.to_owned()))
        }
        _ => Err(PatternError::Kind(text.to_owned())),
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (target, port) = match text.split_once('@') {
            None => (text, None),
            Some((target, service)) => {
                let port = service.strip_prefix("tcp/").and_then(|port| port.parse().ok());
                let wrong = || PatternError::Service(service.to_owned());
                (target, Some(port.filter(|port| *port != 0).ok_or_else(wrong)?))
            }
        };
        Ok(Self { target: parse_target(target)?, port })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Ja4(parts) => {
                let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".to_owned());
                write!(f, "ja4:{}", parts.each_ref().map(part).join("_"))?;
            }
            Target::Version(version) => {
                let found = VERSIONS.iter().find(|(_, known)| known == version);
                write!(f, "tls:{}", found.map_or("", |(name, _)| name))?;
            }
            Target::Cause(cause) => write!(f, "cause:{}", cause.name())?,
        }
        self.port.map_or(Ok(()), |port| write!(f, "@tcp/{port}"))
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
