//! Which hellos a rule is about, as it is typed.

use super::pattern::PatternError;
use crate::fingerprint::{Ja3, Ja4};
use filter_common::abi::hello::Cause;
use filter_common::abi::rule::{Parts, RuleKey};
use filter_common::hello::{MAX_NAME_LEN, hash_name};
use std::fmt;
use std::str::FromStr;

/// Which hellos a rule is about.
///
/// *Shape*: a text and its target are the same thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// `ja4:t13d1516h2_8daaf6152771_*`: those whose JA4 has these parts, of which one at least is
    /// said.
    Ja4([Option<String>; 3]),
    /// `ja4:q13d0310h3_*_cd85d2d88918`: the same over QUIC, which the kernel can't read.
    Quic([Option<String>; 3]),
    /// `ja3:773906b0efdefa24a7f2b8eb6985bf37`.
    Ja3(Ja3),
    /// `sni:api.example.com`: those that ask for exactly this server; empty, `sni:none`, for no
    /// name.
    Server(String),
    /// `sni:*.example.com`: those that ask for a server below this one.
    Below(String),
    /// `alpn:h2`: those whose first protocol this is; empty, `alpn:none`, without any.
    Protocol(String),
    /// `tls:1.2`: those whose highest TLS version is this: the two characters of a JA4.
    Version([u8; 2]),
    /// `cause:gap`: those that have no fingerprint, for this reason.
    Cause(Cause),
    /// `any`: all that have a fingerprint.
    Any,
}

const VERSIONS: [(&str, [u8; 2]); 6] = [
    ("1.0", *b"10"),
    ("1.1", *b"11"),
    ("1.2", *b"12"),
    ("1.3", *b"13"),
    ("ssl2", *b"s2"),
    ("ssl3", *b"s3"),
];

/// Causes that the kernel acts on. Of the last two the end didn't come in time: it is what
/// comes later that is acted on.
const CAUSES: [Cause; 11] = [
    Cause::CONFLICT,
    Cause::TOO_LONG,
    Cause::TOO_MANY_RECORDS,
    Cause::TOO_MANY_SEGMENTS,
    Cause::TOO_MANY_VALUES,
    Cause::TABLE_FULL,
    Cause::MALFORMED,
    Cause::URGENT,
    Cause::GAP,
    Cause::TIMED_OUT,
    Cause::BAD_CHECKSUM,
];

/// The causes that a rule may be about, for people.
pub(super) fn causes() -> String {
    CAUSES.map(Cause::name).join(", ")
}

/// In the place of a name: there is none.
const NONE: &str = "none";

/// Labels of a suffix that the kernel looks for.
const MAX_LABELS: usize = 8;

impl Target {
    /// A JA4 with parts that may be `*`.
    pub(super) fn ja4(text: &str) -> Result<Self, PatternError> {
        let wrong = || PatternError::Ja4(text.to_owned());
        let parts: Vec<&str> = text.split('_').collect();
        let &[a, b, c] = parts.as_slice() else {
            return Err(wrong());
        };
        let is_sum = |part: &str| {
            part.len() == 12 && part.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_first = format!("{a}_000000000000_000000000000").parse::<Ja4>().is_ok();
        let known = [(a, is_first), (b, is_sum(b)), (c, is_sum(c))];
        if known.iter().any(|(part, fits)| !fits && *part != "*") {
            return Err(wrong());
        }
        if known.iter().all(|(part, _)| *part == "*") {
            return Err(PatternError::Everything(text.to_owned()));
        }
        let parts = known.map(|(part, _)| (part != "*").then(|| part.to_owned()));
        Ok(if a.starts_with('q') { Self::Quic(parts) } else { Self::Ja4(parts) })
    }

    /// Whether hellos over TCP with this JA4 are what it is about, as far as that says it.
    pub(super) fn fits(&self, ja4: &str) -> bool {
        match self {
            Self::Ja4(wanted) => wanted
                .iter()
                .zip(ja4.split('_'))
                .all(|(wanted, part)| wanted.as_ref().is_none_or(|wanted| wanted == part)),
            Self::Version(version) => ja4.as_bytes().get(1..3) == Some(version),
            Self::Any => true,
            _ => false,
        }
    }

    /// Where the kernel looks for it: which kind, and what. `None`: only the first such hello
    /// tells.
    pub(super) fn key(&self, secret: u64) -> Option<(u32, Parts)> {
        let hash = |name: &str| RuleKey::hash(hash_name(secret, name.as_bytes()));
        Some(match self {
            Self::Ja4(parts) | Self::Quic(parts) => (kinds(parts), numbers(parts)),
            Self::Ja3(_) => return None,
            Self::Server(name) => (RuleKey::SERVER, hash(name)),
            Self::Below(name) => (RuleKey::SUFFIX, hash(&format!(".{name}"))),
            Self::Protocol(name) => (RuleKey::PROTOCOL, hash(name)),
            Self::Version([a, b]) => {
                let version = u64::from(*a) | u64::from(*b) << 8;
                (RuleKey::VERSION, Parts { a: [version, 0], ..Parts::default() })
            }
            Self::Cause(cause) => (RuleKey::CAUSE, RuleKey::cause(*cause)),
            Self::Any => (RuleKey::ANY, Parts::default()),
        })
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

/// A server's name, or a suffix behind `*.`.
fn server(text: &str) -> Result<Target, PatternError> {
    let wrong = || PatternError::Server(text.to_owned());
    let (name, is_suffix) = text.strip_prefix("*.").map_or((text, false), |name| (name, true));
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    if name == NONE && !is_suffix {
        return Ok(Target::Server(String::new()));
    }
    let is_label = |label: &str| {
        let known = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(known)
    };
    let is_long = name.len() > usize::try_from(MAX_NAME_LEN).unwrap_or_default();
    if is_long || !name.split('.').all(is_label) {
        return Err(wrong());
    }
    if is_suffix && name.split('.').count() > MAX_LABELS {
        return Err(PatternError::Labels(text.to_owned()));
    }
    Ok(if is_suffix { Target::Below(name) } else { Target::Server(name) })
}

/// The name of a protocol.
fn protocol(text: &str) -> Result<Target, PatternError> {
    let name = text.to_ascii_lowercase();
    if name == NONE {
        return Ok(Target::Protocol(String::new()));
    }
    let known = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'/' | b'.' | b'-' | b'_');
    let is_name = (1..=64).contains(&text.len()) && text.bytes().all(known);
    // The kernel takes capital letters for small ones.
    is_name.then_some(Target::Protocol(name)).ok_or_else(|| PatternError::Protocol(text.to_owned()))
}

impl FromStr for Target {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text == "any" {
            return Ok(Self::Any);
        }
        let unknown = || PatternError::Kind(text.to_owned());
        let (kind, value) = text.split_once(':').ok_or_else(unknown)?;
        match kind {
            "ja4" => Self::ja4(value),
            "ja3" => {
                let lower = value.bytes().all(|c| !c.is_ascii_uppercase());
                let ja3 = value.parse().ok().filter(|_| lower);
                ja3.map(Self::Ja3).ok_or_else(|| PatternError::Ja3(value.to_owned()))
            }
            "sni" => server(value),
            "alpn" => protocol(value),
            "tls" => {
                let found = VERSIONS.iter().find(|(name, _)| *name == value);
                let wrong = || PatternError::Version(value.to_owned());
                found.map(|(_, version)| Self::Version(*version)).ok_or_else(wrong)
            }
            "cause" => {
                let found = CAUSES.into_iter().find(|cause| cause.name() == value);
                found.map(Self::Cause).ok_or_else(|| PatternError::Cause(value.to_owned()))
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |name: &str| if name.is_empty() { NONE.to_owned() } else { name.to_owned() };
        match self {
            Self::Ja4(parts) | Self::Quic(parts) => {
                let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".to_owned());
                write!(f, "ja4:{}", parts.each_ref().map(part).join("_"))
            }
            Self::Ja3(ja3) => write!(f, "ja3:{ja3}"),
            Self::Server(name) => write!(f, "sni:{}", or_none(name)),
            Self::Below(name) => write!(f, "sni:*.{name}"),
            Self::Protocol(name) => write!(f, "alpn:{}", or_none(name)),
            Self::Version(version) => {
                let found = VERSIONS.iter().find(|(_, known)| known == version);
                write!(f, "tls:{}", found.map_or("", |(name, _)| name))
            }
            Self::Cause(cause) => write!(f, "cause:{}", cause.name()),
            Self::Any => f.write_str("any"),
        }
    }
}
