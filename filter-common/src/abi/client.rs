//! Clients: their key, what was decided about them, what they have used.

use super::assert_layout;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Whom a limit is about, and a verdict if nothing else was said.
///
/// *Shape*: 16 bytes, an IPv6 address as two numbers in the host's byte order. An IPv4
/// client is its whole address, mapped to `::ffff:a.b.c.d`. An IPv6 client is its /64:
/// the low half is zero, so that the owner of a /64 is one client whatever he writes
/// there.
#[derive(
    Clone,
    Copy,
    Debug,
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
pub struct ClientKey {
    /// The first eight bytes of the address.
    pub high: u64,
    /// The last eight bytes.
    pub low: u64,
}

assert_layout!(ClientKey, size 16, align 8, high at 0, low at 8);

/// What the daemon or an operator decided about a client or a prefix.
///
/// *Shape*: 16 bytes, the value of the `VERDICTS` map, whose key is a
/// [`VerdictKey`](super::width::VerdictKey).
///
/// *Concurrency*: written by the daemon alone, read by every CPU. The kernel compares
/// [`expires_ns`](Self::expires_ns) at each look-up: a dead daemon can't leave a verdict
/// in force.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct ClientVerdict {
    /// The moment it ends, on the clock of `bpf_ktime_get_ns`.
    pub expires_ns: u64,
    /// [`ClientVerdict::BLOCK`] or [`ClientVerdict::THROTTLE`]. A number that the
    /// program doesn't know is treated as no verdict.
    pub action: u8,
    /// A [`Mode`](super::Mode) as a byte.
    pub mode: u8,
    /// Who decided: a [`Source`] as a number, for `explain` after a restart.
    pub source: u16,
    /// Zero.
    pub reserved: u32,
}

assert_layout!(ClientVerdict, size 16, align 8, expires_ns at 0, action at 8, mode at 9, source at 10, reserved at 12);

impl ClientVerdict {
    /// Nothing was decided.
    pub const NONE: u8 = 0;
    /// Every packet of the client is dropped.
    pub const BLOCK: u8 = 1;
    /// The client gets the throttle limit.
    pub const THROTTLE: u8 = 2;
}

/// Who made a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source(pub u16);

impl Source {
    /// An operator's command.
    pub const OPERATOR: Self = Self(1);
    /// The classifier.
    pub const CLASSIFIER: Self = Self(2);
    /// A rule on a fingerprint.
    pub const FINGERPRINT_RULE: Self = Self(3);
}

/// Verdicts the kernel holds at once.
///
/// At the limit the daemon first removes expired ones, then refuses an operator's
/// command and drops a classifier's verdict, and counts that.
pub const VERDICT_CAPACITY: u32 = 65_536;
