//! What clients have used, who has proved himself, who went over, and what was counted.

use crate::abi::assert_layout;
use crate::abi::counter::Count;
use crate::limit::Outcome;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What one key has used of one profile.
///
/// *Shape*: 16 bytes. The tag is what [`place`](crate::limit::key::place) makes of the key;
/// zero is an empty place.
///
/// *Concurrency*: every CPU moves the word by compare-and-swap; who takes a meter for a new
/// key writes the tag behind that.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Meter {
    /// Who, and of which profile.
    pub tag: u64,
    /// How much: the word of a [rate](crate::gcra::Rate), or of a quota.
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
    /// The word of a [rate](crate::gcra::Rate), or of a quota.
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
