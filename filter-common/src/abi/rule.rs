//! Rules on `ClientHello`s: what the program looks up when it knows a hello's fingerprint, or why
//! it has none.

use super::assert_layout;
use super::hello::Cause;
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
    /// How many kinds there are.
    pub const KINDS: u32 = 10;
    /// Whatever the service is.
    pub const ANY_SERVICE: u32 = u32::MAX;

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
    /// [`Rule::BLOCK`] or [`Rule::RESET`]. A number that the program doesn't know is treated
    /// as no rule.
    pub action: u8,
    /// A [`Mode`](super::Mode) as a byte.
    pub mode: u8,
    /// Zero.
    pub reserved: u16,
}

assert_layout!(Rule, size 16, align 8, number at 8, action at 12, mode at 13);

impl Rule {
    /// There is none.
    pub const NONE: u8 = 0;
    /// The packet is dropped, and so is what else comes of its connection.
    pub const BLOCK: u8 = 1;
    /// The local stack gets a TCP reset in the packet's place.
    pub const RESET: u8 = 2;
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
