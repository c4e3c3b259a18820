//! Limits: what they are, which apply, and what clients have used of them.

use super::assert_layout;
use super::counter::{Count, Reason};
use crate::gcra::Rate;
use crate::limit::Outcome;
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
    /// Who is counted: [`Profile::BY_CLIENT`] or [`Profile::TOGETHER`].
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
    /// All of a service together. Two and three are kept for fingerprints, and for
    /// fingerprints with prefixes.
    pub const TOGETHER: u8 = 1;

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

/// What one key has used of one profile.
///
/// *Shape*: 16 bytes. The tag is what [`place`](crate::limit::key::place) makes of the key;
/// zero is an empty place.
///
/// *Concurrency*: every CPU moves both words by compare-and-swap.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Meter {
    /// Who, and of which profile.
    pub tag: u64,
    /// How much: a [`Rate`]'s word, or a quota's.
    pub word: u64,
}

assert_layout!(Meter, size 16, align 8, word at 8);

/// Meters of a set.
pub const WAYS: u32 = 4;

/// Meters that share a cache line: where a key may be.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C, align(64))]
pub struct MeterSet(pub [Meter; WAYS as usize]);

assert_layout!(MeterSet, size 64, align 64);

/// A power of two: sets of rates. As many sets of quotas lie behind them.
///
/// 524,288 meters of each kind, 8 MiB each. [`crate::limit::meter`] says what happens at
/// the limit.
pub const RATE_SETS: u32 = 1 << 17;

/// Elements of the `METERS` map.
pub const METER_SETS: u32 = 2 * RATE_SETS;

/// The word of a profile that counts everybody together, with a cache line of its own.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C, align(64))]
pub struct Aggregate {
    /// A [`Rate`]'s word, or a quota's.
    pub word: u64,
    /// Zeroes.
    pub reserved: [u64; 7],
}

assert_layout!(Aggregate, size 64, align 64);

/// Clients that proved themselves and share a cache line.
///
/// *Shape*: a tag of 48 bits and a stamp of 16 in units of 2^33 ns; zero is an empty place.
///
/// *Concurrency*: plain stores; of two CPUs that mark clients in one line at once, one may
/// be lost, and is marked by its next packet.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C, align(64))]
pub struct ProvenLine(pub [u64; 8]);

assert_layout!(ProvenLine, size 64, align 64);

/// Lines of the `PROVEN` map, a power of two: 262,144 clients, 2 MiB.
pub const PROVEN_LINES: u32 = 1 << 15;

/// A key that went over a limit.
///
/// *Shape*: 48 bytes, an element of the `OFFENDERS` map.
///
/// *Concurrency*: `count` is added to atomically; who takes a place over from an earlier
/// one may mix with another CPU that does. It is a report and decides nothing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Offender {
    /// The meter's tag.
    pub tag: u64,
    /// The meter's set; with the tag it says who.
    pub set: u64,
    /// When the first packet was refused, on the clock of `bpf_ktime_get_ns`.
    pub first_ns: u64,
    /// When the last was.
    pub last_ns: u64,
    /// How many were.
    pub count: u64,
    /// Zero.
    pub reserved: u64,
}

assert_layout!(Offender, size 48, align 8, count at 32);

/// Elements of the `OFFENDERS` map, a power of two.
///
/// At the limit further keys are counted with their profile and not listed.
pub const OFFENDER_COUNT: u32 = 1 << 12;

/// A place of the `OFFENDERS` map is taken over when nothing was refused for so long.
pub const OFFENDER_IDLE_NS: u64 = 10_000_000_000;

/// What one CPU has counted of one profile.
///
/// *Shape*: 80 bytes, an element of the per-CPU map `PROFILE_COUNTERS`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct ProfileCounters {
    /// Packets that were charged.
    pub passed: Count,
    /// Packets that were refused.
    pub refused: Count,
    /// Packets that would have been, were the profile or the host enforcing.
    pub would_refuse: Count,
    /// Packets over a guarded profile's half that passed because their client had proved
    /// itself. They are among those that passed.
    pub preferred: u64,
    /// Packets that passed uncharged: there was no room for their key.
    pub untracked: u64,
    /// Packets whose key went over and found no place among the offenders.
    pub unlisted: u64,
    /// Zero.
    pub reserved: u64,
}

assert_layout!(ProfileCounters, size 80, align 8, preferred at 48);

impl ProfileCounters {
    /// Counts a packet.
    #[inline(always)]
    pub const fn count(&mut self, outcome: Outcome, bytes: u32) {
        let one = Count { packets: 1, bytes: bytes as u64 };
        match outcome {
            Outcome::REFUSED => self.refused.add(one),
            Outcome::WOULD_REFUSE => self.would_refuse.add(one),
            Outcome::UNTRACKED => self.untracked += 1,
            Outcome::PREFERRED => {
                self.preferred += 1;
                self.passed.add(one);
            }
            _ => self.passed.add(one),
        }
    }

    /// Adds what another CPU counted.
    pub fn add(&mut self, other: &Self) {
        self.passed.add(other.passed);
        self.refused.add(other.refused);
        self.would_refuse.add(other.would_refuse);
        self.preferred += other.preferred;
        self.untracked += other.untracked;
        self.unlisted += other.unlisted;
    }
}
