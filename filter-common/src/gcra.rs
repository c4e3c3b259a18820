//! The generic cell rate algorithm: a token bucket in one 64-bit word.
//!
//! A rate runs a clock of its own, that counts in units: at a hundred packets a second it
//! moves on by a hundred a second. A key's word is its *theoretical arrival time* on that
//! clock: where the clock will stand when the bucket is full again. So what a key has used
//! is the distance between the two, in units, whatever the rate was when it was used: a
//! change of rate gives nobody a burst and takes none away.
//!
//! This module is arithmetic alone; whoever owns the word moves it by compare-and-swap.
//!
//! *Source*: ITU-T I.371, annex A (virtual scheduling algorithm).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A rate and a burst, as the algorithm wants them.
///
/// *Units*: a tick is a 2^[`Rate::unit_bits`]th of a unit.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Rate {
    /// A moment, in nanoseconds.
    pub origin_ns: u64,
    /// What the clock showed then, in ticks.
    pub origin: u64,
    /// Ticks in 2^[`Rate::shift`] nanoseconds; below 2^32.
    pub factor: u64,
    /// Ticks that a word may be ahead of the clock. Zero: there is no limit.
    pub burst: u64,
    /// See [`Rate::factor`]; below 64.
    pub shift: u32,
    /// See above; below 32.
    pub unit_bits: u32,
}

crate::abi::assert_layout!(Rate, size 40, align 8, factor at 16, burst at 24, shift at 32);

/// Bytes that a packet is charged at most: those of a super-packet. Of all else it is charged
/// one.
const MAX_BYTES: u64 = 1 << 20;

impl Rate {
    /// What the clock shows at a moment. Before its origin it stands still.
    ///
    /// *Shape*: it wraps. At 100 million packets a second that takes 23 years, at 100 GB a
    /// second 5.8, and a word that hasn't moved for half of that looks used up.
    #[inline(always)]
    #[must_use]
    pub const fn clock(&self, now_ns: u64) -> u64 {
        let elapsed_ns = now_ns.saturating_sub(self.origin_ns);
        // A product of 96 bits, in two halves.
        let low = (elapsed_ns & 0xffff_ffff).wrapping_mul(self.factor);
        let high = (elapsed_ns >> 32).wrapping_mul(self.factor).wrapping_add(low >> 32);
        let shift = self.shift & 63;
        let ticks = if shift >= 32 {
            high >> (shift - 32)
        } else {
            high << (32 - shift) | (low & 0xffff_ffff) >> shift
        };
        self.origin.wrapping_add(ticks)
    }

    /// Ticks that so many units are.
    #[inline(always)]
    #[must_use]
    pub const fn ticks(&self, units: u64) -> u64 {
        units << (self.unit_bits & 31)
    }

    /// How far a word is ahead of the clock: the ticks in use.
    #[inline(always)]
    #[must_use]
    pub const fn ahead(word: u64, clock: u64) -> u64 {
        let ahead = word.wrapping_sub(clock);
        // The upper half is behind.
        if ahead >> 63 == 0 { ahead } else { 0 }
    }

    /// Charges units to a word when the clock shows `clock`, with this much burst.
    ///
    /// A refused unit costs nothing: a client at twice its rate gets its rate. What is
    /// larger than the burst passes when nothing is in use: nothing is refused for ever.
    /// A word that can't be, because the burst was larger once or it hasn't moved for
    /// years, is taken for one that has used its burst. So whoever used more of a larger
    /// burst waits for as long as the new one takes, and a second.
    #[inline(always)]
    #[must_use]
    pub const fn charge(&self, word: u64, clock: u64, units: u64, burst: u64) -> Charged {
        let (ahead, cost) = (Self::ahead(word, clock), self.ticks(units));
        // Of each pair the one is below 2^63, and the other far below.
        let (after, most) = (ahead.wrapping_add(cost), burst.wrapping_add(self.slack()));
        if ahead > self.slack() && after > most {
            let word = if ahead > self.most() { clock.wrapping_add(self.burst) } else { word };
            return Charged { word, passed: false };
        }
        Charged { word: clock.wrapping_add(ahead).wrapping_add(cost), passed: true }
    }

    /// Ticks that a word may be ahead beyond the burst: what the clock does in a nanosecond,
    /// and one. Who keeps to the rate comes at whole nanoseconds and is metered in whole
    /// ticks: one packet may come a little late, and the next one not.
    #[inline(always)]
    const fn slack(&self) -> u64 {
        (self.factor >> (self.shift & 63)) + 1
    }

    /// Ticks that a word can be ahead at most. Another CPU may have moved it that read the
    /// clock later, up to 2^30 ns: what it charged must not be taken back.
    #[inline(always)]
    const fn most(&self) -> u64 {
        let largest = self.ticks(if self.unit_bits == 0 { MAX_BYTES } else { 1 });
        let most = if self.burst > largest { self.burst } else { largest };
        let later = (self.factor << 30) >> (self.shift & 63);
        most.saturating_add(self.slack()).saturating_add(later)
    }
}

/// What became of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charged {
    /// The word from now on.
    pub word: u64,
    /// Whether the units passed.
    pub passed: bool,
}

/// Setting rates up is the host's work: it divides numbers of 128 bits.
#[cfg(not(target_arch = "bpf"))]
mod setup;

#[cfg(test)]
mod tests;
