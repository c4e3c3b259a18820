//! Meters: bounded, without allocation, and not to be pushed out by random sources.
//!
//! A set is a cache line of four meters, found by a key's secret place. A key that has none
//! takes the first that is empty or back at rest (to forget it changes nothing), or else the
//! first that has used a quarter of its burst or cap at most. What has used more is never
//! pushed out by anybody.
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
}

/// What a profile makes of a word now.
#[derive(Clone, Copy)]
pub struct Scale<'a> {
    profile: &'a Profile,
    now_ns: u64,
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
    /// To what.
    pub profile: &'a Profile,
    /// How many.
    pub units: u64,
    /// How much of the burst may be used.
    pub burst: u64,
    /// When.
    pub now_ns: u64,
    /// Whether what the word says is another key's, and doesn't count.
    pub is_new: bool,
}

impl Charge<'_> {
    #[inline(always)]
    const fn to(&self, scale: &Scale<'_>, word: u64) -> Charged {
        scale.charged(word, self.units, self.burst)
    }
}

/// Charges a word that other CPUs charge as well: passed, refused, or lost.
#[inline(always)]
pub fn charge<W: Word>(word: &W, charge: &Charge<'_>) -> Outcome {
    let seen = word.load();
    let used = if charge.is_new { 0 } else { seen };
    let charged = charge.to(&Scale::new(charge.profile, charge.now_ns), used);
    if charged.word != seen && word.swap(seen, charged.word) != seen {
        return Outcome::LOST;
    }
    if charged.passed { Outcome::PASSED } else { Outcome::REFUSED }
}

/// Whether a charge would pass.
#[inline(always)]
pub fn look<W: Word>(word: &W, charge: &Charge<'_>) -> bool {
    charge.to(&Scale::new(charge.profile, charge.now_ns), word.load()).passed
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

/// How much forgetting a meter would change.
const RESTING: u64 = 0;
const LIGHT: u64 = 1;
const HELD: u64 = 2;

/// The way of the meter that a key may take which has none; [`NO_WAY`] when its set has no
/// room.
///
/// *Concurrency*: who takes it charges its word as if nothing were used, and then writes its
/// tag. Of several only one can have seen the word as it was; the others look again. A packet
/// of the former key that comes between the two is charged to the new one.
#[inline(always)]
pub fn room<L: Limits>(limits: &L, set: u32, now_ns: u64) -> u32 {
    let Some(meters) = limits.meters(set) else {
        return NO_WAY;
    };
    let mut best = HELD << 2;
    for way in 0..WAYS {
        let weight = weight(limits, meters.tag(way).load(), &meters.word(way), now_ns);
        let this = weight << 2 | u64::from(way);
        best = limits.forgotten(if this < best { this } else { best });
        // Nothing is better than one that says nothing.
        if best < LIGHT << 2 {
            break;
        }
    }
    if best < HELD << 2 { (best & 3) as u32 } else { NO_WAY }
}

#[inline(always)]
fn weight<L: Limits>(limits: &L, tag: u64, word: &impl Word, now_ns: u64) -> u64 {
    if tag == 0 {
        return RESTING;
    }
    let Some(profile) = limits.profile(key::number(tag)) else {
        return RESTING;
    };
    let used = Scale::new(profile, now_ns).used(word.load());
    // What counts for a profile that is gone counts for nothing.
    if used == 0 || !profile.is_on() {
        RESTING
    } else if used <= profile.rate.burst >> 2 {
        LIGHT
    } else {
        HELD
    }
}

#[cfg(test)]
mod tests;
