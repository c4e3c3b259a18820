//! One rate and one word.

use super::{FAR, SECOND, Written, bytes, packets};
use crate::gcra::{Charged, Rate};
use proptest::prelude::*;
use std::vec::Vec;

/// A word as its owner moves it.
pub(super) struct Bucket {
    pub(super) rate: Rate,
    pub(super) word: u64,
}

impl Bucket {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, word: 0 }
    }

    pub(super) fn charge(&mut self, now_ns: u64, units: u64) -> bool {
        let Charged { word, passed } =
            self.rate.charge(self.word, self.rate.clock(now_ns), units, self.rate.burst);
        self.word = word;
        passed
    }
}

/// Arrivals, and what comes: most of them around the time that the rate takes for it.
fn arrivals(written: Written, gaps: &[(u64, u8)], sizes: &[u64]) -> Vec<(u64, u64)> {
    let mut now_ns = 7 * SECOND;
    let one = |(&(jitter, kind), &units): (&(u64, u8), &u64)| {
        let fair_ns = written.after(units).min(FAR >> 8);
        now_ns += match kind % 8 {
            0..3 => 0,
            3 => fair_ns,
            4 => fair_ns / 2 + jitter % (fair_ns + 2),
            5 => jitter % 3,
            6 => fair_ns * 7,
            _ => written.after(written.burst).min(FAR >> 8) / 2,
        };
        (now_ns, units)
    };
    gaps.iter().zip(sizes).map(one).collect()
}

/// Checks every pair of arrivals; there are few enough.
fn check_all_windows(written: Written, arrivals: &[(u64, u64)]) -> Result<(), TestCaseError> {
    let mut bucket = Bucket::new(written.rate);
    let largest = arrivals.iter().map(|(_, units)| *units).max().unwrap_or(0);
    let passed: Vec<u64> = arrivals
        .iter()
        .map(|&(now_ns, units)| if bucket.charge(now_ns, units) { units } else { 0 })
        .collect();
    for (first, (from_ns, _)) in arrivals.iter().enumerate() {
        let mut sum = 0;
        for ((to_ns, _), units) in arrivals.iter().zip(&passed).skip(first) {
            sum += u128::from(*units);
            let bound = written.bound(to_ns - from_ns, largest);
            prop_assert!(sum <= bound, "{sum} passed in {} ns, not {bound}", to_ns - from_ns);
        }
    }
    Ok(())
}

#[test]
fn a_burst_passes_and_no_more() {
    for burst in [1, 2, 5, 1000] {
        let mut bucket = Bucket::new(Rate::new(10, SECOND, burst, Rate::FINE));
        let passed = (0..2 * burst).filter(|_| bucket.charge(SECOND, 1)).count();
        assert_eq!(u64::try_from(passed), Ok(burst));
    }
}

/// A tick of an hour is 14 s, and a word may be one beyond its burst.
#[test]
fn one_an_hour_is_one_an_hour() {
    let mut bucket = Bucket::new(Rate::new(1, 3600 * SECOND, 1, Rate::FINE));
    let passed: Vec<u64> = (0..5 * 3600).filter(|s| bucket.charge(s * SECOND, 1)).collect();
    let late = passed.iter().zip(0..).map(|(at, hour)| i128::from(hour * 3600) - i128::from(*at));
    assert!(late.into_iter().all(|s| (0..15).contains(&s)), "{passed:?}");
}

#[test]
fn what_is_larger_than_the_burst_passes_at_rest_and_is_paid_for() {
    let mut bucket = Bucket::new(Rate::new(1000, SECOND, 1500, 0));
    assert!(bucket.charge(0, 64_000));
    assert!(!bucket.charge(62_000 * SECOND / 1000, 600));
    assert!(bucket.charge(63_200 * SECOND / 1000, 600));
}

#[test]
fn a_refused_unit_costs_nothing() {
    let mut bucket = Bucket::new(Rate::new(10, SECOND, 3, Rate::FINE));
    let from_ns = SECOND;
    let eager = (0..1000).filter(|i| bucket.charge(from_ns + i * SECOND / 100, 1)).count();
    assert_eq!(eager, 3 + 99);
}

#[test]
fn time_that_stands_still_or_goes_back_refills_nothing() {
    let mut bucket = Bucket::new(Rate::new(10, SECOND, 4, Rate::FINE));
    let times = [5 * SECOND, 5 * SECOND, SECOND, 0, 5 * SECOND, 4 * SECOND, 5 * SECOND];
    assert_eq!(times.into_iter().filter(|now_ns| bucket.charge(*now_ns, 1)).count(), 4);
    assert!(bucket.charge(5 * SECOND + SECOND / 10, 1));
}

#[test]
fn years_of_silence_give_no_more_than_a_burst() {
    let mut bucket = Bucket::new(Rate::new(50, SECOND, 20, Rate::FINE));
    assert!(bucket.charge(SECOND, 1));
    let years_ns = 100 * 365 * 86_400 * SECOND;
    assert_eq!((0..100).filter(|_| bucket.charge(years_ns, 1)).count(), 20);
}

proptest! {
    #[test]
    fn over_any_window_no_more_than_burst_and_rate_pass(
        written in packets(),
        gaps in prop::collection::vec((any::<u64>(), any::<u8>()), 1..90),
    ) {
        check_all_windows(written, &arrivals(written, &gaps, &[1; 90]))?;
    }

    #[test]
    fn so_it_is_with_bytes_of_packets_of_any_size(
        written in bytes(),
        gaps in prop::collection::vec((any::<u64>(), any::<u8>()), 1..90),
        sizes in prop::collection::vec(60_u64..1 << 20, 90),
    ) {
        check_all_windows(written, &arrivals(written, &gaps, &sizes))?;
    }

    /// However small its burst, and wherever between two ticks it starts.
    #[test]
    fn a_client_at_exactly_its_rate_is_never_refused(
        written in packets(), from_ns in 0..1_u64 << 50, origin in any::<u64>(),
    ) {
        let rate = Rate { origin, ..Rate::new(written.units, written.period_ns, 1, Rate::FINE) };
        let mut bucket = Bucket { rate, word: rate.clock(from_ns) };
        for i in (0..2000).take_while(|i| written.after(*i) < FAR) {
            prop_assert!(bucket.charge(from_ns + written.after(i), 1), "number {i}");
        }
    }

    /// Each packet comes when the ones before it have been paid for.
    #[test]
    fn a_client_at_exactly_its_bytes_is_never_refused(
        written in bytes(), from_ns in 0..1_u64 << 50,
        sizes in prop::collection::vec(60_u64..1 << 16, 200),
    ) {
        let rate = Rate::new(written.units, written.period_ns, 1 << 16, 0);
        let mut bucket = Bucket { rate, word: rate.clock(from_ns) };
        let mut before = 0;
        for units in sizes {
            let paid_ns = written.after(before);
            prop_assert!(paid_ns == FAR || bucket.charge(from_ns + paid_ns, units));
            before += units;
        }
    }

    /// A CPU reads the clock and is held up, and others use the burst meanwhile.
    #[test]
    fn a_cpu_with_a_late_clock_takes_no_charge_back(
        written in prop_oneof![packets(), bytes()],
        now_ns in 1_u64 << 31..1 << 60, late_ns in 0..=1_u64 << 30, used in any::<u64>(),
    ) {
        let clock = written.rate.clock(now_ns);
        let used = used % (written.rate.burst + 1);
        let mut bucket = Bucket { rate: written.rate, word: clock.wrapping_add(used) };
        let before = bucket.word;
        bucket.charge(now_ns - late_ns, 1);
        prop_assert!(bucket.word.wrapping_sub(before) <= written.rate.ticks(1));
    }

    #[test]
    fn a_clock_that_wraps_changes_nothing(
        written in packets(),
        gaps in prop::collection::vec((any::<u64>(), any::<u8>()), 1..60),
        before_wrap in 0..1_u64 << 40,
    ) {
        let arrivals = arrivals(written, &gaps, &[1; 60]);
        let wrapping = Rate { origin: before_wrap.wrapping_neg(), ..written.rate };
        let mut plain = Bucket::new(written.rate);
        let mut other = Bucket { rate: wrapping, word: wrapping.origin };
        for (now_ns, units) in arrivals {
            prop_assert_eq!(plain.charge(now_ns, units), other.charge(now_ns, units));
        }
    }

    #[test]
    fn garbage_in_a_word_is_gone_when_a_burst_has_come_back_and_a_second(
        written in packets(), word in any::<u64>(), now_ns in 0..1_u64 << 60,
    ) {
        let mut bucket = Bucket { rate: written.rate, word };
        bucket.charge(now_ns, 1);
        let later_ns = now_ns + written.after(written.burst.saturating_add(1)) + (1 << 30) + 1;
        prop_assert!(bucket.charge(later_ns, 1));
        let used = Rate::ahead(bucket.word, bucket.rate.clock(later_ns));
        prop_assert!(used <= bucket.rate.ticks(written.burst + 1));
    }
}
