//! Meters: bounded, without allocation, and not to be pushed out by random sources.
//!
//! A set is a cache line of four meters, found by a key's secret place. A key that has none
//! takes the first that is empty or back at rest (to forget it changes nothing), or else the
//! first that has used a quarter of its burst or cap at most. What has used more is never
//! pushed out by anybody.
//!
//! That quarter is less than one unit where the burst or cap is below four: there one packet
//! holds a meter until it is at rest again.
//!
//! So a flood of random sources goes on over meters that say next to nothing, and those near
//! their limits stay. Whom it pushes out is forgiven a quarter of a burst at most. When all
//! four meters of its set are beyond that, a new key goes *untracked*: it passes and is
//! counted. To keep a set so an attacker has to spend a quarter of a burst from four sources
//! each time that it takes to come back, in the hope of hitting it; to keep all of them,
//! from half a million sources.

use crate::abi::limit::{Profile, WAYS};
use crate::gcra::{Charged, Rate};
use crate::limit::key;
use crate::limit::{Limits, Outcome, quota};

/// A word that several CPUs move.
pub trait Word {
    /// What it is.
    fn load(&self) -> u64;
    /// Replaces it if it still is what was seen; returns what it was.
    fn swap(&self, seen: u64, next: u64) -> u64;
    /// Replaces it.
    fn store(&self, next: u64);
}

/// A set of meters, wherever it lies.
pub trait Meters {
    /// A meter's word or tag.
    type Word: Word;
    /// A meter's tag; ways are below [`WAYS`].
    fn tag(&self, way: u32) -> Self::Word;
    /// A meter's word.
    fn word(&self, way: u32) -> Self::Word;
    /// A way that was found, as one that the verifier knows for one.
    fn way(&self, way: u32) -> u32;
}

/// What a profile makes of a word now.
#[derive(Clone, Copy, Debug)]
pub struct Scale<'a> {
    /// The profile.
    pub profile: &'a Profile,
    /// Now, in nanoseconds.
    pub now_ns: u64,
    clock: u64,
}

impl<'a> Scale<'a> {
    /// The profile's view of this moment.
    #[inline(always)]
    #[must_use]
    pub const fn new(profile: &'a Profile, now_ns: u64) -> Self {
        let clock = if profile.is_quota() { 0 } else { profile.rate.clock(now_ns) };
        Self { profile, now_ns, clock }
    }

    /// The profile, if it is a rate, as the one that most meters are of.
    #[inline(always)]
    pub(super) const fn own(&self, number: u32) -> Own {
        let number = if self.profile.is_quota() { 0 } else { number };
        Own { number, clock: self.clock, light: self.profile.rate.burst >> LIGHT_BITS }
    }

    /// What a word would be after these units.
    #[inline(always)]
    #[must_use]
    pub const fn charged(&self, word: u64, units: u64, burst: u64) -> Charged {
        if self.profile.is_quota() {
            quota::charge(word, self.now_ns, units, burst, self.profile.window)
        } else {
            self.profile.rate.charge(word, self.clock, units, burst)
        }
    }

    /// Ticks or units of the burst or cap that are in use.
    #[inline(always)]
    #[must_use]
    pub const fn used(&self, word: u64) -> u64 {
        if self.profile.is_quota() {
            quota::used(word, self.now_ns, self.profile.window)
        } else {
            Rate::ahead(word, self.clock)
        }
    }
}

/// Units to be charged.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// To what, and when.
    pub scale: Scale<'a>,
    /// How many.
    pub units: u64,
    /// How much of the burst may be used.
    pub burst: u64,
    /// Whether what the word says is another key's, and doesn't count.
    pub is_new: bool,
}

impl Charge<'_> {
    #[inline(always)]
    const fn to(&self, word: u64) -> Charged {
        self.scale.charged(word, self.units, self.burst)
    }
}

/// Charges a word that other CPUs charge as well: passed, refused, or lost.
#[inline(always)]
pub fn charge<W: Word>(word: &W, charge: &Charge<'_>) -> Outcome {
    let seen = word.load();
    let charged = charge.to(if charge.is_new { 0 } else { seen });
    // Who is refused at once takes no meter.
    let next = if charge.is_new && !charged.passed { seen } else { charged.word };
    if next != seen && word.swap(seen, next) != seen {
        return Outcome::LOST;
    }
    if charged.passed { Outcome::PASSED } else { Outcome::REFUSED }
}

/// Whether a charge would pass.
#[inline(always)]
pub fn look<W: Word>(word: &W, charge: &Charge<'_>) -> bool {
    charge.to(word.load()).passed
}

/// The way of a key's meter in its set; [`NO_WAY`] when it has none.
#[inline(always)]
pub fn find<M: Meters>(meters: &M, tag: u64) -> u32 {
    for way in 0..WAYS {
        if meters.tag(way).load() == tag {
            return way;
        }
    }
    NO_WAY
}

/// No meter.
pub const NO_WAY: u32 = WAYS;

/// How much forgetting a meter would change: nothing, a quarter of a burst or cap at most, or
/// more.
pub const RESTING: u64 = 0;
const LIGHT: u64 = 1;
const HELD: u64 = 2;
const LIGHT_BITS: u32 = 2;

/// The rate that a new key is of. In a flood so are most of the meters that it meets, and to
/// weigh them takes no other look-up.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// Its number; zero, which no meter has, if it isn't known.
    pub number: u32,
    /// What its clock shows.
    pub clock: u64,
    /// The ticks in use up to which a meter is light.
    pub light: u64,
}

impl Own {
    #[inline(always)]
    const fn weight(&self, word: u64) -> u64 {
        weight_of(Rate::ahead(word, self.clock), self.light)
    }
}

#[inline(always)]
const fn weight_of(used: u64, light: u64) -> u64 {
    if used == 0 {
        RESTING
    } else if used <= light {
        LIGHT
    } else {
        HELD
    }
}

/// The way of the meter that a key may take which has none; [`NO_WAY`] when its set has no
/// room.
///
/// *Concurrency*: who takes it charges its word as if nothing were used, and then writes its
/// tag. Of two CPUs that take one way within the same moment the last has it, and what the
/// other, or its former owner, was charged since the weighing is forgiven: a packet or so. A
/// packet of the former key that comes between the two is charged to the new one.
#[inline(always)]
pub fn room<L: Limits>(limits: &L, meters: &L::Meters, own: &Own, now_ns: u64) -> u32 {
    for most in [RESTING, LIGHT] {
        for way in 0..WAYS {
            let (tag, word) = (meters.tag(way).load(), meters.word(way).load());
            let weight = if tag != 0 && key::number(tag) == own.number {
                own.weight(word)
            } else {
                limits.weight(tag, word, now_ns)
            };
            if weight <= most {
                return way;
            }
        }
    }
    NO_WAY
}

/// How much it would change to forget a meter of any profile.
#[inline(always)]
pub fn weight<L: Limits>(limits: &L, tag: u64, word: u64, now_ns: u64) -> u64 {
    if tag == 0 {
        return RESTING;
    }
    match limits.profile(key::number(tag)) {
        Some(profile) if profile.is_on() => {
            let used = Scale::new(profile, now_ns).used(word);
            weight_of(used, profile.rate.burst >> LIGHT_BITS)
        }
        // What counts for a profile that is gone counts for nothing.
        _ => RESTING,
    }
}

#[cfg(test)]
mod tests;
