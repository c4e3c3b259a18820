//! Quotas: a hard cap over a window that starts with a client's first use.
//!
//! *Shape*: a word of 64 bits. The upper 24 are when the window began, in units of 2^30 ns;
//! they wrap after 208 days. The lower 40 are the units used in it.

use crate::gcra::Charged;

/// The largest cap: a terabyte.
pub const MAX_CAP: u64 = (1 << 40) - 1;

const USED: u64 = MAX_CAP;
const STAMP: u64 = 0xff_ffff;

/// Units of 2^30 ns on the clock.
#[inline(always)]
#[must_use]
pub const fn stamp(now_ns: u64) -> u64 {
    now_ns >> 30 & STAMP
}

/// What of its cap a word has used at a moment.
#[inline(always)]
#[must_use]
pub const fn used(word: u64, now_ns: u64, window: u32) -> u64 {
    if age(word, now_ns) >= window as u64 { 0 } else { word & USED }
}

/// Units of 2^30 ns until a word's window ends; zero if it has.
#[must_use]
pub const fn left(word: u64, now_ns: u64, window: u32) -> u64 {
    (window as u64).saturating_sub(age(word, now_ns))
}

#[inline(always)]
const fn age(word: u64, now_ns: u64) -> u64 {
    let age = stamp(now_ns).wrapping_sub(word >> 40) & STAMP;
    // Another CPU has read the clock a moment later, and began the window.
    if age == STAMP { 0 } else { age }
}

/// Charges units. A refused unit costs nothing.
///
/// Time that goes back by more than a stamp looks like the end of a window; the clock never
/// does.
#[inline(always)]
#[must_use]
pub const fn charge(word: u64, now_ns: u64, units: u64, cap: u64, window: u32) -> Charged {
    let used = used(word, now_ns, window);
    if units > cap || used > cap - units {
        return Charged { word, passed: false };
    }
    let began = if used == 0 { stamp(now_ns) } else { word >> 40 };
    Charged { word: (began << 40) | (used + units), passed: true }
}

#[cfg(test)]
mod tests;
