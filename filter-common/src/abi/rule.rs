//! Rules on `ClientHello`s: what the program looks up when it knows a hello's fingerprint, or why
//! it has none.

use super::assert_layout;
use super::hello::Cause;
use crate::hash::mix;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A JA4 in numbers, so that parts of it are words.
///
/// *Shape*: 32 bytes. The first part's ten characters, the first in the lowest byte; then the
/// twelve hex digits of each of the others as a number.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(C)]
pub struct Parts {
    /// The first part: protocol, version, counts and ALPN.
    pub a: [u64; 2],
    /// The second part: the ciphers' sum.
    pub b: u64,
    /// The third part: the extensions' sum.
    pub c: u64,
}

assert_layout!(Parts, size 32, align 8, b at 16, c at 24);

impl Parts {
    /// The keyed hash that limits and records name a fingerprint by, or a cause.
    #[inline(always)]
    #[must_use]
    pub const fn name(&self, secret: u64) -> u64 {
        let hash = mix(mix(mix(mix(secret, self.a[0]), self.a[1]), self.b), self.c);
        // Zero is none.
        mix(hash, secret) | 1
    }

    /// These parts alone: a bit each of [`RuleKey::A`], [`RuleKey::B`] and [`RuleKey::C`].
    #[inline(always)]
    #[must_use]
    pub const fn masked(&self, which: u32) -> Self {
        let a = (which & RuleKey::A != 0) as u64;
        let b = (which & RuleKey::B != 0) as u64;
        let c = (which & RuleKey::C != 0) as u64;
        Self { a: [self.a[0] * a, self.a[1] * a], b: self.b * b, c: self.c * c }
    }
}

/// What a rule is about.
///
/// *Shape*: 40 bytes, the key of the `RULES` map.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(C)]
pub struct RuleKey {
    /// Which kind: parts of a JA4, or one of the others.
    pub kind: u32,
    /// The service, as [`Frame::service`](crate::wire::frame::Frame::service) has it, or
    /// [`RuleKey::ANY_SERVICE`].
    pub service: u32,
    /// What is looked for; parts that don't matter are zero.
    pub parts: Parts,
}

assert_layout!(RuleKey, size 40, align 8, service at 4, parts at 8);

impl RuleKey {
    /// The JA4's first part.
    pub const A: u32 = 1;
    /// Its second.
    pub const B: u32 = 2;
    /// Its third.
    pub const C: u32 = 4;
    /// All of it.
    pub const WHOLE: u32 = Self::A | Self::B | Self::C;
    /// The TLS version: the two characters of a JA4 that say it.
    pub const VERSION: u32 = 8;
    /// Why there is no fingerprint.
    pub const CAUSE: u32 = 9;
    /// The server's name.
    pub const SERVER: u32 = 10;
    /// The end of the server's name, from a dot on.
    pub const SUFFIX: u32 = 11;
    /// The first protocol of ALPN.
    pub const PROTOCOL: u32 = 12;
    /// What a JA3 is made of, by its hash: the daemon learns it from the first such hello.
    pub const WIRE: u32 = 13;
    /// Every hello that has a fingerprint.
    pub const ANY: u32 = 14;
    /// Kinds in the order in which they are looked for, the most exact first; filled up to a
    /// power of two.
    pub const ORDER: [u32; 16] = [
        Self::WHOLE,
        Self::WIRE,
        Self::B | Self::C,
        Self::A | Self::C,
        Self::A | Self::B,
        Self::C,
        Self::B,
        Self::A,
        Self::SERVER,
        Self::SUFFIX,
        Self::PROTOCOL,
        Self::VERSION,
        Self::ANY,
        Self::CAUSE,
        0,
        0,
    ];
    /// Whatever the service is.
    pub const ANY_SERVICE: u32 = u32::MAX;

    /// A hash.
    #[inline(always)]
    #[must_use]
    pub const fn hash(hash: u64) -> Parts {
        Parts { a: [hash, 0], b: 0, c: 0 }
    }

    /// The bit in [`HostConfig::rule_kinds`](super::config::HostConfig::rule_kinds) of a kind:
    /// its place in [`RuleKey::ORDER`].
    #[must_use]
    pub fn bit(kind: u32) -> u32 {
        Self::ORDER.iter().zip(0..).find(|(other, _)| **other == kind).map_or(0, |(_, at)| 1 << at)
    }

    /// A cause, whatever the service is.
    #[inline(always)]
    #[must_use]
    pub const fn cause(cause: Cause) -> Parts {
        Parts { a: [cause.0 as u64, 0], b: 0, c: 0 }
    }

    /// The version in a JA4.
    #[inline(always)]
    #[must_use]
    pub const fn version(ja4: &Parts) -> Parts {
        Parts { a: [ja4.a[0] >> 8 & 0xffff, 0], b: 0, c: 0 }
    }
}

/// What happens to a hello that a rule is about.
///
/// *Shape*: 16 bytes, the value of the `RULES` map.
///
/// *Concurrency*: written by the daemon alone. The kernel compares
/// [`expires_ns`](Self::expires_ns) at each look-up: a dead daemon can't leave a rule in force.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Rule {
    /// The moment it ends, on the clock of `bpf_ktime_get_ns`; `u64::MAX`: never.
    pub expires_ns: u64,
    /// Its number: where its hits are counted.
    pub number: u32,
    /// [`Rule::BLOCK`], [`Rule::RESET`] or [`Rule::LIMIT`]. A number that the program doesn't
    /// know is treated as no rule.
    pub action: u8,
    /// A [`Mode`](super::Mode) as a byte.
    pub mode: u8,
    /// The number of the profile that hellos are charged to, if it limits them.
    pub profile: u16,
}

assert_layout!(Rule, size 16, align 8, number at 8, action at 12, mode at 13);

impl Rule {
    /// There is none.
    pub const NONE: u8 = 0;
    /// The packet is dropped, and so is what else comes of its connection.
    pub const BLOCK: u8 = 1;
    /// The local stack gets a TCP reset in the packet's place.
    pub const RESET: u8 = 2;
    /// The hello is charged to a profile, and what that refuses is treated as it says.
    pub const LIMIT: u8 = 3;
}

/// Rules that the kernel holds at once; one more is refused.
pub const RULE_CAPACITY: u32 = 4096;

/// What one CPU has counted of one rule.
///
/// *Shape*: an element of the per-CPU map `RULE_COUNTERS`, by the rule's number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct RuleCounters {
    /// Hellos that it was about.
    pub matched: u64,
    /// Those of them whose connection it ended; it, or the host, was in shadow of the others.
    pub ended: u64,
}

assert_layout!(RuleCounters, size 16, align 8);

/// For how long nothing more passes of a connection that a rule has ended, in units of 2^30 ns:
/// about a minute, in which a server gives up what it has heard of it.
pub const SENTENCE: u32 = 56;
