//! Limits: what they are, which apply, and what clients have used of them.

mod state;

pub use state::{
    Aggregate, METER_SETS, Meter, MeterSet, OFFENDER_COUNT, OFFENDER_IDLE_NS, Offender,
    PROVEN_LINES, ProfileCounters, ProvenLine, RATE_SETS, WAYS,
};

use super::assert_layout;
use super::counter::Reason;
use crate::gcra::Rate;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Profiles that there can be, counting number 0, which is none.
///
/// At the limit the daemon refuses to make another one.
pub const PROFILE_COUNT: u32 = 64;

/// Elements of the `PROFILES` map: each profile has two, of which
/// [`HostConfig::limit_copies`](super::config::HostConfig::limit_copies) says which one counts.
pub const PROFILE_COPIES: u32 = 2 * PROFILE_COUNT;

/// The profile of clients with a throttle verdict.
pub const THROTTLE_PROFILE: u32 = 1;

/// A named limit.
///
/// *Shape*: 64 bytes, a cache line; an element of the `PROFILES` map. All zero is a profile
/// that isn't there.
///
/// *Concurrency*: a copy is never changed while packets read it: the daemon writes the
/// other one and then switches.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Profile {
    /// How fast, and how much at once. A quota's [`Rate::burst`] is its cap, in units.
    pub rate: Rate,
    /// The bits of an IPv6 address's first half that make a client.
    pub v6_mask: u64,
    /// The bits of an IPv4 address that make a client.
    pub v4_mask: u32,
    /// How long a quota's window lasts, in units of 2^30 ns. Zero: this is no quota.
    pub window: u32,
    /// What is counted: [`Profile::PACKETS`] and so on.
    pub unit: u8,
    /// What happens beyond: [`Profile::DROP`] and so on.
    pub action: u8,
    /// Who is counted: [`Profile::BY_CLIENT`] and so on.
    pub key: u8,
    /// [`Profile::GUARDED`] and [`Profile::COARSE`].
    pub flags: u8,
    /// The [`Reason`] that a refused packet is counted under.
    pub reason: u8,
    /// Zeroes.
    pub reserved: [u8; 3],
}

assert_layout!(
    Profile, size 64, align 8, v6_mask at 40, v4_mask at 48, window at 52, unit at 56, reason at 60
);

impl Profile {
    /// Packets of every kind.
    pub const PACKETS: u8 = 0;
    /// Bytes of whole frames.
    pub const BYTES: u8 = 1;
    /// TCP segments that open a connection.
    pub const CONNECTIONS: u8 = 2;
    /// TCP segments that start a TLS ClientHello.
    pub const HANDSHAKES: u8 = 3;
    /// Stands for no unit.
    pub const NO_UNIT: u8 = 0xff;

    /// The packet is dropped.
    pub const DROP: u8 = 0;
    /// The local stack gets a TCP reset in its place. What isn't a segment of an open
    /// connection is dropped.
    pub const RESET: u8 = 1;
    /// The packet passes and is counted.
    pub const SHADOW: u8 = 2;

    /// Each client prefix for itself.
    pub const BY_CLIENT: u8 = 0;
    /// All of a service together.
    pub const TOGETHER: u8 = 1;
    /// Each JA4 for itself. Such a profile has no service: rules on hellos name it.
    pub const BY_FINGERPRINT: u8 = 2;
    /// Each JA4 of each client prefix for itself, named by rules as well.
    pub const BY_FINGERPRINT_OF_CLIENT: u8 = 3;

    /// Half of the burst is kept for clients that have proved themselves.
    pub const GUARDED: u8 = 1;
    /// The clock may be a few milliseconds late.
    pub const COARSE: u8 = 2;

    /// Whether there is such a profile.
    #[inline(always)]
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.rate.burst != 0
    }

    /// Whether it is a quota.
    #[inline(always)]
    #[must_use]
    pub const fn is_quota(&self) -> bool {
        self.window != 0
    }

    /// Why a packet was refused.
    #[inline(always)]
    #[must_use]
    pub const fn reason(&self) -> Reason {
        Reason(self.reason)
    }
}

/// The profiles of a service, in the order in which a packet meets them.
///
/// *Shape*: a step a byte, the first in the lowest byte of `low`; a zero ends them. A step's
/// lower six bits are a profile's number, its upper two a role.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Plan {
    /// The first eight steps.
    pub low: u64,
    /// The steps behind them.
    pub high: u64,
}

assert_layout!(Plan, size 16, align 8, high at 8);

impl Plan {
    /// Bits of a step that are the profile's number.
    pub const NUMBER: u64 = 0x3f;
    /// The packet is charged.
    pub const CHARGE: u64 = 0;
    /// It is charged because a list names the profile.
    pub const LIST: u64 = 0x40;
    /// Nothing is charged; it is refused if it would be.
    pub const LOOK: u64 = 0x80;
    /// It is charged, and a refusal only counted.
    pub const SHADOW: u64 = 0xc0;
    /// Steps that a service can have. A throttle verdict and a list add one each, behind
    /// those that only look.
    pub const MAX_STEPS: usize = 14;

    /// The plan with a step put before it.
    #[inline(always)]
    #[must_use]
    pub const fn after(self, step: u64) -> Self {
        Self { low: self.low << 8 | step, high: self.high << 8 | self.low >> 56 }
    }

    /// Whether it charges a profile.
    #[inline(always)]
    #[must_use]
    pub const fn charges(self, number: u32) -> bool {
        has_byte(self.low, number) || has_byte(self.high, number)
    }
}

/// *Source*: "Hacker's Delight", section 6-1: a borrow out of a byte that is zero.
#[inline(always)]
const fn has_byte(word: u64, byte: u32) -> bool {
    let zero_if_same = word ^ (byte as u64 * LOWEST);
    zero_if_same.wrapping_sub(LOWEST) & !zero_if_same & LOWEST << 7 != 0
}

/// The lowest bit of each byte.
const LOWEST: u64 = 0x0101_0101_0101_0101;

/// Classes of services: sets of ports that the same profiles are for.
///
/// At the limit the daemon refuses a profile that would make another one.
pub const CLASS_COUNT: u32 = 256;

/// Services are numbered: TCP ports, UDP ports behind them, then what has no port.
pub const UDP_PORTS: u32 = 0x1_0000;
/// TCP, and no port is known.
pub const TCP_NO_PORT: u32 = 0x2_0000;
/// UDP, and no port is known.
pub const UDP_NO_PORT: u32 = 0x2_0001;
/// ICMP of both families.
pub const ICMP: u32 = 0x2_0002;
/// Every other protocol.
pub const OTHER: u32 = 0x2_0003;
/// Words of the `SERVICES` map, of eight services each.
pub const SERVICE_WORDS: u32 = 0x2_0008 / 8;

/// What a list limits its clients to.
///
/// *Shape*: an element of the `LIST_LIMITS` map, by the list's number. All zero is nothing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct ListLimit {
    /// A profile's number.
    pub profile: u32,
    /// That profile's unit: the service's own limits of it don't apply to these clients.
    pub unit: u32,
}

assert_layout!(ListLimit, size 8, align 4);
