//! How many different things were seen, without keeping any of them.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A sketch of the different things of the last one or two turns.
///
/// *Shape*: 88 bytes. Two bitmaps: what is shown fills the older one, and each turn the
/// younger one takes its place.
///
/// *Source*: E. Cohen, "All-distances sketches, revisited" (the estimate that is kept while
/// bits are set), for a bitmap instead of registers. Off by some 5 % up to 200; when all
/// 256 bits are set it says 1,567, which is to be read as at least that.
#[derive(Clone, Debug, Default)]
pub struct Distinct {
    older: Bitmap,
    younger: Bitmap,
    turn: u32,
}

impl Distinct {
    /// Lets time pass; time that goes back is ignored.
    pub fn age(&mut self, now_ms: u64, turn_ms: u64) {
        let turn = u32::try_from(now_ms / turn_ms.max(1)).unwrap_or(u32::MAX);
        match turn.saturating_sub(self.turn) {
            0 => return,
            1 => self.older = std::mem::take(&mut self.younger),
            _ => (self.older, self.younger) = Default::default(),
        }
        self.turn = turn;
    }

    /// Takes in a thing, by its [`hash`].
    pub fn insert(&mut self, hash: u64) {
        self.older.insert(hash);
        self.younger.insert(hash);
    }

    /// About how many there are.
    #[must_use]
    pub const fn estimate(&self) -> u32 {
        (self.older.estimate + ONE / 2) / ONE
    }

    /// How many things were taken in, the same ones too.
    #[must_use]
    pub const fn taken(&self) -> u32 {
        self.older.taken
    }

    /// Whether there are at least so many, and of all that was taken in that share was new.
    /// Beyond a thousand the share isn't known any more, and it says no.
    #[must_use]
    pub fn reaches(&self, least: u32, percent: u32) -> bool {
        let (estimate, taken) = (self.estimate(), self.taken());
        (least..=SURE).contains(&estimate)
            && u64::from(estimate) * 100 >= u64::from(taken) * u64::from(percent)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        (self.older, self.younger) = Default::default();
    }
}

/// A hash that nobody without the secret can aim at.
#[must_use]
pub fn hash(secret: u64, thing: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    secret.hash(&mut hasher);
    thing.hash(&mut hasher);
    hasher.finish()
}

#[derive(Clone, Debug, Default)]
struct Bitmap {
    words: [u64; 4],
    /// In 256ths.
    estimate: u32,
    taken: u32,
}

impl Bitmap {
    fn insert(&mut self, hash: u64) {
        self.taken = self.taken.saturating_add(1);
        let clear: u32 = self.words.iter().map(|word| word.count_zeros()).sum();
        let word = &mut self.words[usize::from(hash.to_le_bytes()[1] % 4)];
        let bit = 1 << (hash % 64);
        if *word & bit == 0 {
            *word |= bit;
            // A new thing sets a bit with this probability, so each bit stands for as many.
            self.estimate += BITS * ONE / clear;
        }
    }
}

const BITS: u32 = 256;

/// Up to here the estimate is off by a tenth at most, as a rule.
const SURE: u32 = 1000;
const ONE: u32 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const TURN_MS: u64 = 1000;

    fn of(things: u32) -> Distinct {
        let mut distinct = Distinct::default();
        (0..things).for_each(|thing| distinct.insert(hash(7, thing)));
        distinct
    }

    #[test]
    fn few_are_counted_well_and_many_roughly() {
        for (things, off) in [(1, 0), (10, 1), (50, 5), (200, 20), (500, 60)] {
            let estimate = of(things).estimate();
            assert!(estimate.abs_diff(things) <= off, "{things}: {estimate}");
        }
        assert_eq!(of(100_000).estimate(), 1567);
    }

    #[test]
    fn one_thing_counts_once() {
        let mut distinct = Distinct::default();
        (0..1000).for_each(|_| distinct.insert(hash(7, "same")));
        assert_eq!((distinct.estimate(), distinct.taken()), (1, 1000));
        assert!(distinct.reaches(1, 0) && !distinct.reaches(1, 1));
    }

    #[test]
    fn what_is_two_turns_old_is_forgotten() {
        let mut distinct = of(10);
        distinct.age(TURN_MS, TURN_MS);
        assert!(distinct.estimate() >= 9);
        distinct.age(0, TURN_MS);
        distinct.age(2 * TURN_MS, TURN_MS);
        assert_eq!(distinct.estimate(), 0);
    }
}
