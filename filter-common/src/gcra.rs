//! The generic cell rate algorithm: a token bucket in one 64-bit word.
//!
//! The word is the *theoretical arrival time*: the moment at which the bucket will be
//! full again. This module is arithmetic alone; whoever owns the word moves it by
//! compare-and-swap.
//!
//! *Source*: ITU-T I.371, annex A (virtual scheduling algorithm).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A rate and a burst, as the algorithm wants them.
///
/// *Units*: nanoseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Limit {
    /// Time that one unit costs. Zero: no limit.
    pub interval_ns: u64,
    /// How far ahead of the clock the word may run before a unit is refused.
    pub tolerance_ns: u64,
    /// A [`Mode`](crate::abi::Mode) as a number.
    pub mode: u32,
    /// Zero.
    pub reserved: u32,
}

crate::abi::assert_layout!(Limit, size 24, align 8, interval_ns at 0, tolerance_ns at 8, mode at 16);

/// The largest tolerance: a year. A longer burst is cut to it.
const MAX_TOLERANCE_NS: u64 = 365 * 86_400 * 1_000_000_000;

impl Limit {
    /// `per_sec` units a second, of which `burst` may come at once.
    ///
    /// A rate above one per nanosecond is one per nanosecond, a burst of zero is one: a
    /// limit always lets something through. A rate of zero is no limit.
    #[must_use]
    pub const fn new(per_sec: u64, burst: u64) -> Self {
        if per_sec == 0 {
            return Self { interval_ns: 0, tolerance_ns: 0, mode: 0, reserved: 0 };
        }
        let interval_ns = if per_sec > 1_000_000_000 { 1 } else { 1_000_000_000 / per_sec };
        let ahead = interval_ns.saturating_mul(burst.saturating_sub(1));
        let tolerance_ns = if ahead > MAX_TOLERANCE_NS { MAX_TOLERANCE_NS } else { ahead };
        Self { interval_ns, tolerance_ns, mode: 0, reserved: 0 }
    }

    /// Whether there is a limit at all.
    #[inline(always)]
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.interval_ns != 0
    }

    /// The limit's [`Mode`](crate::abi::Mode) as a byte.
    #[inline(always)]
    #[must_use]
    pub const fn mode(&self) -> u8 {
        self.mode.to_le_bytes()[0]
    }

    /// The word after one unit at `now_ns`, or `None` when the unit is refused.
    ///
    /// A refused unit costs nothing: a client at twice its rate gets its rate.
    #[inline(always)]
    #[must_use]
    pub const fn charge(&self, arrival_ns: u64, now_ns: u64) -> Option<u64> {
        let base = if arrival_ns > now_ns { arrival_ns } else { now_ns };
        if base - now_ns > self.tolerance_ns {
            return None;
        }
        Some(base.wrapping_add(self.interval_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passes(limit: Limit, arrivals: &[u64]) -> u64 {
        let mut word = 0;
        let mut passed = 0;
        for &now in arrivals {
            if let Some(next) = limit.charge(word, now) {
                word = next;
                passed += 1;
            }
        }
        passed
    }

    #[test]
    fn a_burst_passes_and_no_more() {
        assert_eq!(passes(Limit::new(10, 5), &[1_000; 50]), 5);
        assert_eq!(passes(Limit::new(10, 0), &[1_000; 50]), 1);
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        assert!(!Limit::new(0, 5).is_on());
        assert!(Limit::new(1, 0).is_on());
    }

    #[test]
    fn time_that_goes_back_neither_panics_nor_refills() {
        let limit = Limit::new(10, 1);
        let word = limit.charge(0, 5_000_000_000).unwrap();
        assert_eq!(limit.charge(word, 1), None);
        assert_eq!(limit.charge(u64::MAX, 0), None);
    }

    proptest! {
        #[test]
        fn over_any_window_at_most_burst_and_rate_pass(
            per_sec in 1_u64..1_000_000, burst in 1_u64..1_000,
            gaps in proptest::collection::vec(0_u64..50_000_000, 1..200),
        ) {
            let limit = Limit::new(per_sec, burst);
            let mut now = 1_000_000_000_u64;
            let arrivals: std::vec::Vec<u64> = gaps.iter().map(|g| { now += g; now }).collect();
            let window = arrivals.last().unwrap() - arrivals.first().unwrap();
            let bound = burst + window / limit.interval_ns + 1;
            prop_assert!(passes(limit, &arrivals) <= bound);
        }

        #[test]
        fn a_client_at_its_rate_is_never_refused(per_sec in 1_u64..1_000_000, burst in 1_u64..100) {
            let limit = Limit::new(per_sec, burst);
            let arrivals: std::vec::Vec<u64> = (1..500).map(|i| i * limit.interval_ns).collect();
            prop_assert_eq!(passes(limit, &arrivals), 499);
        }
    }
}
