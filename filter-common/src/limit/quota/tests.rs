use super::*;
use proptest::prelude::*;

/// An hour, in units of 2^30 ns.
const HOUR: u32 = 3353;
const STAMP_NS: u64 = 1 << 30;
/// Within the first window after it, nothing wraps.
const START_NS: u64 = 5 * 86_400 * 1_000_000_000;

/// Charges one after the other; the word, and which passed.
fn charges<const N: usize>(word: &mut u64, at: [(u64, u64); N], cap: u64) -> [bool; N] {
    at.map(|(now_ns, units)| {
        let charged = charge(*word, now_ns, units, cap, HOUR);
        *word = charged.word;
        charged.passed
    })
}

fn window_ns() -> u64 {
    u64::from(HOUR) * STAMP_NS
}

#[test]
fn a_cap_is_hard_and_what_is_refused_costs_nothing() {
    let mut word = 0;
    let at = [70, 40, 30, 1].map(|units| (START_NS, units));
    assert_eq!(charges(&mut word, at, 100), [true, false, true, false]);
    assert_eq!(used(word, START_NS, HOUR), 100);
}

#[test]
fn what_is_larger_than_the_cap_never_passes() {
    let mut word = 0;
    let at = [(START_NS, 101), (START_NS + 10 * window_ns(), 101)];
    assert_eq!(charges(&mut word, at, 100), [false; 2]);
    assert_eq!(word, 0);
}

#[test]
fn a_window_starts_with_the_first_use_and_ends_by_itself() {
    let mut word = 0;
    let end_ns = (START_NS >> 30 << 30) + window_ns();
    let at = [(START_NS, 100), (end_ns - 1, 1), (end_ns, 100), (end_ns + window_ns() - 1, 1)];
    assert_eq!(charges(&mut word, at, 100), [true, false, true, false]);
    assert_eq!(left(word, end_ns, HOUR), u64::from(HOUR));
    assert_eq!(left(word, end_ns + window_ns(), HOUR), 0);
}

#[test]
fn use_within_a_window_does_not_make_it_longer() {
    let mut word = 0;
    let first_ns = START_NS >> 30 << 30;
    let later = |quarters| (first_ns + quarters * window_ns() / 4, 1);
    assert_eq!(charges(&mut word, [0, 1, 2, 3].map(later), 100), [true; 4]);
    assert_eq!(used(word, first_ns + window_ns() - 1, HOUR), 4);
    assert_eq!(used(word, first_ns + window_ns(), HOUR), 0);
}

#[test]
fn a_word_that_was_never_used_has_used_nothing() {
    for now_ns in [0, 1, START_NS, window_ns() - 1, u64::MAX] {
        assert_eq!(used(0, now_ns, HOUR), 0);
        assert_eq!(used(charge(0, now_ns, 5, 10, HOUR).word, now_ns, HOUR), 5);
    }
}

#[test]
fn another_cap_counts_from_the_next_packet_on() {
    let mut word = charge(0, START_NS, 80, 100, HOUR).word;
    assert_eq!(charges(&mut word, [(START_NS, 1)], 50), [false]);
    assert_eq!(charges(&mut word, [(START_NS, 20), (START_NS, 1)], 100), [true, false]);
    assert_eq!(charges(&mut word, [(START_NS, 100)], 200), [true]);
    assert_eq!(charges(&mut word, [(START_NS + window_ns(), 50)], 50), [true]);
}

#[test]
fn the_largest_cap_leaves_the_stamp_alone() {
    let mut word = 0;
    let at = [(START_NS, MAX_CAP - 1), (START_NS, 1), (START_NS, 1)];
    assert_eq!(charges(&mut word, at, MAX_CAP), [true, true, false]);
    assert_eq!(word >> 40, stamp(START_NS));
    assert_eq!(used(word, START_NS, HOUR), MAX_CAP);
}

#[test]
fn a_cpu_that_read_the_clock_a_moment_earlier_does_not_end_the_window() {
    let mut word = charge(0, 7 * STAMP_NS, 60, 100, HOUR).word;
    assert_eq!(charges(&mut word, [(7 * STAMP_NS - 1, 50)], 100), [false]);
    assert_eq!(charges(&mut word, [(7 * STAMP_NS - 1, 40)], 100), [true]);
    assert_eq!(used(word, 7 * STAMP_NS, HOUR), 100);
}

#[test]
fn a_window_goes_on_where_the_stamps_wrap() {
    let wrap_ns = STAMP_NS << 24;
    let mut word = charge(0, wrap_ns - 10 * STAMP_NS, 60, 100, HOUR).word;
    assert_eq!(charges(&mut word, [(wrap_ns + STAMP_NS, 50)], 100), [false]);
    assert_eq!(left(word, wrap_ns, HOUR), u64::from(HOUR) - 10);
    assert_eq!(charges(&mut word, [(wrap_ns + window_ns(), 50)], 100), [true]);
}

proptest! {
    /// A window is what lies between a first use and its end, and the next one starts with
    /// the next use.
    #[test]
    fn no_window_has_more_than_its_cap(
        cap in 1_u64..1 << 41, window in 1_u32..90_000,
        from_ns in 0..1_u64 << 55,
        steps in prop::collection::vec((0_u64..60 * STAMP_NS, any::<u64>()), 1..200),
    ) {
        let cap = cap.min(MAX_CAP);
        let (mut word, mut now_ns) = (0, from_ns);
        let mut open: Option<(u64, u64)> = None;
        for (gap_ns, units) in steps {
            now_ns += gap_ns;
            let units = 1 + units % (cap / 3 + 1);
            let (began, sum) = open
                .filter(|(began, _)| (now_ns >> 30) - began < u64::from(window))
                .unwrap_or((now_ns >> 30, 0));
            prop_assert_eq!(used(word, now_ns, window), sum);
            let charged = charge(word, now_ns, units, cap, window);
            prop_assert_eq!(charged.passed, sum + units <= cap);
            word = charged.word;
            if charged.passed {
                open = Some((began, sum + units));
            }
        }
    }
}
