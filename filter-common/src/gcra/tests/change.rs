//! A rate that is changed while it is in use.

use super::word::Bucket;
use super::{SECOND, Written, packets};
use crate::gcra::Rate;
use proptest::prelude::*;

fn used(bucket: &Bucket, now_ns: u64) -> u64 {
    Rate::ahead(bucket.word, bucket.rate.clock(now_ns)) >> Rate::FINE
}

fn changed(bucket: &Bucket, to: Written, now_ns: u64) -> Bucket {
    Bucket { rate: to.rate.continuing(&bucket.rate, now_ns), word: bucket.word }
}

/// A bucket of which so many units are used, or as many as it has.
fn after(written: Written, units: u64, now_ns: u64) -> Bucket {
    let clock = written.rate.clock(now_ns);
    let units = units.min(written.burst);
    Bucket { rate: written.rate, word: clock.wrapping_add(written.rate.ticks(units)) }
}

#[test]
fn a_faster_rate_gives_no_burst_and_a_slower_one_takes_none_away() {
    for (from, to) in [(10, 1000), (1000, 10)] {
        let [from, to] = [from, to].map(|units| Written::new(units, SECOND, 100, Rate::FINE));
        let full = after(from, 100, 50 * SECOND);
        let mut changed = changed(&full, to, 50 * SECOND);
        assert_eq!(used(&changed, 50 * SECOND), 100);
        assert!(!changed.charge(50 * SECOND, 1));
        assert!(changed.charge(50 * SECOND + to.after(1), 1));
    }
}

#[test]
fn rates_that_take_turns_give_what_each_gives_in_its_turn() {
    let turns = [
        (7, SECOND, SECOND, 7),
        (90, 60 * SECOND, 2 * SECOND, 3),
        (1_000_000, SECOND, SECOND / 1000, 1000),
        (3600, 3600 * SECOND, SECOND, 1),
    ];
    let first = Written::new(1, SECOND, 1 << 20, Rate::FINE);
    let mut bucket = after(first, 1 << 20, 0);
    let (mut given, mut now_ns) = (0, 0);
    for (units, period_ns, turn_ns, gives) in turns.into_iter().cycle().take(400) {
        bucket = changed(&bucket, Written::new(units, period_ns, 1 << 20, Rate::FINE), now_ns);
        now_ns += turn_ns;
        given += gives;
    }
    let left = (1 << 20) - given;
    // Each change costs less than a tick.
    assert!((left..left + 2).contains(&used(&bucket, now_ns)));
}

#[test]
fn a_rate_that_is_set_up_again_and_again_goes_on() {
    let written = Written::new(1, 3600 * SECOND, 1, Rate::FINE);
    let mut bucket = after(written, 1, 0);
    for second in 0..3600 {
        bucket = changed(&bucket, written, second * SECOND);
    }
    assert_eq!(used(&bucket, 3600 * SECOND), 0);
}

proptest! {
    #[test]
    fn what_was_used_stays_used_in_units(
        from in packets(), to in packets(), units in any::<u64>(), now_ns in 0..1_u64 << 60,
    ) {
        let before = after(from, units, now_ns);
        let changed = changed(&before, to, now_ns);
        prop_assert_eq!(used(&changed, now_ns), used(&before, now_ns));
    }

    #[test]
    fn a_change_lets_nothing_through_beyond_the_new_burst(
        from in packets(), to in packets(), units in any::<u64>(), now_ns in 0..1_u64 << 60,
    ) {
        let to = Written::new(to.units, to.period_ns, 1 + to.burst % 500, Rate::FINE);
        let before = after(from, units, now_ns);
        let mut changed = changed(&before, to, now_ns);
        let room = to.burst.saturating_sub(used(&before, now_ns));
        let passed = (0..to.burst + 2).filter(|_| changed.charge(now_ns, 1)).count();
        prop_assert_eq!(u64::try_from(passed).unwrap(), room);
    }

    /// A burst that shrinks is the one that clients have used more of than there is.
    #[test]
    fn a_change_locks_nobody_out_for_longer_than_the_new_burst_takes_and_a_second(
        from in packets(), to in packets(), units in any::<u64>(), now_ns in 0..1_u64 << 60,
    ) {
        let before = after(from, units, now_ns);
        let mut changed = changed(&before, to, now_ns);
        changed.charge(now_ns, 1);
        let wait_ns = to.after(to.burst.saturating_add(1)) + (1 << 30) + 1;
        prop_assert!(changed.charge(now_ns + wait_ns, 1));
    }
}
