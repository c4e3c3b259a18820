use super::*;
use proptest::prelude::*;

mod change;
mod word;

pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const FAR: u64 = 1 << 60;
const PERIODS: [u64; 4] = [SECOND, 60 * SECOND, 3600 * SECOND, 86_400 * SECOND];

/// A rate as people write it, and as the algorithm wants it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) units: u64,
    pub(super) period_ns: u64,
    pub(super) burst: u64,
    pub(super) rate: Rate,
}

impl Written {
    pub(super) fn new(units: u64, period_ns: u64, burst: u64, unit_bits: u32) -> Self {
        Self { units, period_ns, burst, rate: Rate::new(units, period_ns, burst, unit_bits) }
    }

    /// When so many units have accrued, rounded up to a nanosecond; at the most in 36 years.
    pub(super) fn after(&self, units: u64) -> u64 {
        let ns = u128::from(units) * u128::from(self.period_ns);
        u64::try_from(ns.div_ceil(u128::from(self.units))).unwrap_or(FAR).min(FAR)
    }

    /// What passes in a window at most, in units: a burst, what the rate gives, and the
    /// largest packet, and one in 2^31 more, by which the clock may be fast.
    pub(super) fn bound(&self, window_ns: u64, largest: u64) -> u128 {
        let given = u128::from(window_ns) * u128::from(self.units);
        let given = (given + (given >> 31)).div_ceil(u128::from(self.period_ns));
        u128::from(self.burst.max(largest)) + given + u128::from(largest)
    }
}

/// A number below 2^`bits`, each magnitude as likely as any other.
fn magnitude(bits: u32) -> impl Strategy<Value = u64> {
    (0..bits, any::<u64>()).prop_map(|(bit, low)| 1 << bit | low & ((1 << bit) - 1))
}

/// Rates of packets: one an hour or a day, to a hundred million a second.
pub(super) fn packets() -> impl Strategy<Value = Written> {
    (magnitude(43), 0..PERIODS.len(), magnitude(33)).prop_map(|(units, period, burst)| {
        let period_ns = PERIODS[period];
        let most = Rate::MAX_FINE_PER_SEC * (period_ns / SECOND);
        Written::new(1 + units % most, period_ns, burst, Rate::FINE)
    })
}

/// Rates of bytes, to a hundred gigabytes a second.
pub(super) fn bytes() -> impl Strategy<Value = Written> {
    (magnitude(53), 0..PERIODS.len(), magnitude(41)).prop_map(|(units, period, burst)| {
        let period_ns = PERIODS[period];
        let units = 1 + units % (Rate::MAX_PER_SEC * (period_ns / SECOND));
        Written::new(units, period_ns, burst, 0)
    })
}

#[test]
fn what_limits_nothing_is_no_rate() {
    for (units, period_ns, burst) in [(0, SECOND, 1), (1, 0, 1), (1, SECOND, 0)] {
        assert_eq!(Rate::new(units, period_ns, burst, 0).burst, 0);
    }
}

#[test]
fn a_rate_beyond_the_most_is_taken_for_the_most() {
    let most = Rate::new(Rate::MAX_PER_SEC, SECOND, 1, 0);
    assert_eq!(Rate::new(u64::MAX, SECOND, 1, 0), most);
    assert_eq!(most.clock(SECOND), Rate::MAX_PER_SEC);
}

#[test]
fn absurd_numbers_make_a_rate_all_the_same() {
    let all = [1, 2, SECOND, 1 << 40, u64::MAX - 1, u64::MAX];
    for units in all {
        for period_ns in all {
            for unit_bits in [0, Rate::FINE] {
                let rate = Rate::new(units, period_ns, u64::MAX, unit_bits);
                assert!(rate.factor >> 32 == 0 && rate.shift < 64 && rate.burst <= 1 << 62);
                let most = u128::from(units).min(u128::from(period_ns) * 100);
                let exact = (most << unit_bits) * u128::from(3600 * SECOND) / u128::from(period_ns);
                let clock = u128::from(rate.clock(3600 * SECOND));
                assert!(clock.abs_diff(exact) <= 2 + (exact >> 30), "{units} in {period_ns}");
            }
        }
    }
}

#[test]
fn a_clock_stands_still_before_its_origin() {
    let rate = Rate::new(10, SECOND, 1, 0).continuing(&Rate::new(7, SECOND, 1, 0), 100 * SECOND);
    assert_eq!([0, SECOND, 100 * SECOND].map(|now_ns| rate.clock(now_ns)), [700; 3]);
    assert_eq!(rate.clock(101 * SECOND), 710);
}

proptest! {
    /// The slowest clocks are fast by less than a tick in 292 years, all others by less than
    /// one in 2^31.
    #[test]
    fn a_clock_is_right_by_a_tick_and_one_in_two_thousand_million(
        written in prop_oneof![packets(), bytes()],
        origin_ns in any::<u64>(), origin in any::<u64>(), elapsed_ns in magnitude(63),
    ) {
        let rate = Rate { origin_ns, origin, ..written.rate };
        let now_ns = origin_ns.saturating_add(elapsed_ns);
        let ticks = u128::from(written.units) << rate.unit_bits;
        let exact = u128::from(now_ns - origin_ns) * ticks / u128::from(written.period_ns);
        // What is beyond that wraps.
        prop_assume!(exact >> 63 == 0);
        let clock = u128::from(rate.clock(now_ns).wrapping_sub(origin));
        prop_assert!(clock >= exact, "{clock} is late, it should be {exact}");
        prop_assert!(clock - exact < 2 + (exact >> 31), "{clock} is fast, it should be {exact}");
    }

    #[test]
    fn a_clock_never_goes_back(
        written in prop_oneof![packets(), bytes()],
        origin_ns in magnitude(56), origin in any::<u64>(),
        early in magnitude(56), late in magnitude(56),
    ) {
        let rate = Rate { origin_ns, origin, ..written.rate };
        let (early, late) = (early.min(late), early.max(late));
        let moved = rate.clock(late).wrapping_sub(rate.clock(early));
        // In 2.3 years the fastest of them go less than half of their way round.
        prop_assert!(moved >> 63 == 0);
    }
}
