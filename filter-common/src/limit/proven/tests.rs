use super::*;
use crate::abi::limit::{PROVEN_LINES, ProvenLine};
use proptest::prelude::*;
use std::cell::Cell;
use std::rc::Rc;

const STAMP_NS: u64 = 1 << 33;
const NOW_NS: u64 = 1000 * STAMP_NS;

fn line() -> Rc<Cell<ProvenLine>> {
    Rc::default()
}

/// Clients of one line; their tags differ.
fn client(number: u64) -> u64 {
    (number + 1) << 16 | 0x1234
}

fn marked(line: &Rc<Cell<ProvenLine>>, client: u64, now_ns: u64) {
    mark(line, client, now_ns, |number| number);
}

fn is_recent(line: &Rc<Cell<ProvenLine>>, client: u64, now_ns: u64) -> bool {
    age(line, client, now_ns) <= RECENT
}

#[test]
fn a_client_that_never_proved_itself_is_unknown() {
    let line = line();
    marked(&line, client(1), NOW_NS);
    assert_eq!(age(&line, client(2), NOW_NS), UNKNOWN);
}

#[test]
fn a_mark_ages_and_ends() {
    let line = line();
    marked(&line, client(1), NOW_NS);
    assert_eq!(age(&line, client(1), NOW_NS), 0);
    assert_eq!(age(&line, client(1), NOW_NS + 7 * STAMP_NS), 7);
    assert_eq!(age(&line, client(1), NOW_NS + RECENT * STAMP_NS), RECENT);
    assert_eq!(age(&line, client(1), NOW_NS + (RECENT + 1) * STAMP_NS), UNKNOWN);
}

#[test]
fn a_mark_counts_for_an_hour() {
    let seconds = RECENT * STAMP_NS / 1_000_000_000;
    assert!((3590..3620).contains(&seconds));
}

#[test]
fn a_client_has_one_mark() {
    let line = line();
    for minute in 0..100 {
        marked(&line, client(1), NOW_NS + minute * 60_000_000_000);
    }
    assert_eq!(line.get().0.iter().filter(|mark| **mark != 0).count(), 1);
}

#[test]
fn the_oldest_makes_room() {
    let line = line();
    // The third is renewed, so the first is the oldest, then the second.
    for number in 0..8 {
        marked(&line, client(number), NOW_NS + number * STAMP_NS);
    }
    marked(&line, client(0), NOW_NS + 8 * STAMP_NS);
    let now_ns = NOW_NS + 9 * STAMP_NS;
    marked(&line, client(8), now_ns);
    let left = (0..9).filter(|number| is_recent(&line, client(*number), now_ns));
    assert!(left.eq([0, 2, 3, 4, 5, 6, 7, 8]));
}

#[test]
fn what_is_too_old_to_count_goes_before_what_counts() {
    let line = line();
    marked(&line, client(0), NOW_NS);
    let late_ns = NOW_NS + (RECENT + 9) * STAMP_NS;
    for number in 1..9 {
        marked(&line, client(number), late_ns);
    }
    assert!((1..9).all(|number| is_recent(&line, client(number), late_ns)));
}

#[test]
fn ages_are_right_where_the_stamps_wrap() {
    let (line, wrap_ns) = (line(), STAMP_NS << 16);
    marked(&line, client(1), wrap_ns - 3 * STAMP_NS);
    assert_eq!(age(&line, client(1), wrap_ns + 2 * STAMP_NS), 5);
    for number in 2..9 {
        marked(&line, client(number), wrap_ns - STAMP_NS);
    }
    marked(&line, client(9), wrap_ns + STAMP_NS);
    assert_eq!(age(&line, client(1), wrap_ns + STAMP_NS), UNKNOWN);
    assert_eq!(age(&line, client(2), wrap_ns + STAMP_NS), 2);
}

#[test]
fn a_mark_of_a_stamp_of_zero_counts_at_once() {
    for began_ns in [0, STAMP_NS << 16] {
        let line = line();
        marked(&line, client(1), began_ns);
        assert_eq!(age(&line, client(1), began_ns), 0);
        assert_eq!(age(&line, client(1), began_ns + 2 * STAMP_NS), 1);
    }
}

#[test]
fn a_clock_that_is_a_moment_late_knows_a_mark() {
    let line = line();
    marked(&line, client(1), NOW_NS);
    assert_eq!(age(&line, client(1), NOW_NS - STAMP_NS), 0);
}

#[test]
fn a_mark_of_the_first_stamp_counts_from_the_second_on() {
    let line = line();
    marked(&line, client(1), 0);
    assert_eq!(age(&line, client(1), STAMP_NS), 0);
    assert_eq!(age(&line, client(1), 5 * STAMP_NS), 4);
}

proptest! {
    #[test]
    fn the_owner_of_a_64_proves_itself_once(secrets: Secrets, high in 1_u64.., low: [u64; 2]) {
        let of = |low| mixed(&secrets, &Address { high, low });
        prop_assert_eq!(of(low[0]), of(low[1]));
    }

    #[test]
    fn two_clients_are_in_other_lines_or_have_other_tags(secrets: Secrets, a: u32, b: u32) {
        let place = |address| {
            let mixed = mixed(&secrets, &Address::v4(address));
            (mixed & u64::from(PROVEN_LINES - 1), mixed & !STAMP)
        };
        prop_assert_eq!(place(a) == place(b), a == b);
    }
}
