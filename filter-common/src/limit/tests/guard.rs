//! Aggregates that keep half of their burst for clients that have proved themselves.

use super::*;

const HOUR_NS: u64 = 3600 * SECOND;

fn guarded(burst: u64) -> LimitMemory {
    let profile = Profile { flags: Profile::GUARDED, ..together(burst) };
    memory(&[(4, profile)], &[Plan::LOOK | 4, 4])
}

/// Marks the client of [`data`] as one that has an established socket.
fn prove(memory: &LimitMemory) {
    memory.established.set(true);
    let mut frame = data();
    learn(memory, &mut frame);
    assert_eq!(frame.proof, Proof::PROVEN);
    memory.established.set(false);
}

fn stranger(last: u8) -> Frame {
    parsed(&client(last).tcp(Segment::syn((40_000, 443), 7)))
}

#[test]
fn strangers_get_half_and_the_proven_all() {
    let memory = guarded(20);
    prove(&memory);
    assert_eq!(passing(&memory, &stranger(9)), 10);
    assert_eq!(passing(&memory, &syn()), 10);
    assert_eq!(memory.counters(4).preferred, 10);
    assert_eq!(counts(&memory.counters(4)), [20, 2, 0]);
}

#[test]
fn the_proven_are_preferred_only_when_there_is_need() {
    let memory = guarded(20);
    prove(&memory);
    for _ in 0..10 {
        refused(&memory, &syn());
    }
    assert_eq!(memory.counters(4).preferred, 0);
    assert_eq!(passing(&memory, &stranger(9)), 0);
    assert_eq!(passing(&memory, &syn()), 10);
}

#[test]
fn strangers_share_what_is_left() {
    let memory = guarded(20);
    prove(&memory);
    assert_eq!(passing(&memory, &syn()), 20);
    memory.now_ns.set(NOW_NS + 9 * HOUR_NS);
    assert_eq!(passing(&memory, &stranger(9)), 0);
    memory.now_ns.set(NOW_NS + 12 * HOUR_NS);
    assert_eq!(passing(&memory, &stranger(9)), 2);
}

#[test]
fn a_proof_is_remembered_for_an_hour() {
    let memory = guarded(20);
    prove(&memory);
    assert_eq!(passing(&memory, &stranger(9)), 10);
    memory.now_ns.set(NOW_NS + HOUR_NS - 10 * SECOND);
    assert_eq!(refused(&memory, &syn()), Reason::NO_RULE);
    memory.now_ns.set(NOW_NS + HOUR_NS + 20 * SECOND);
    assert_eq!(passing(&memory, &stranger(9)), 0);
    assert_eq!(refused(&memory, &syn()), Reason::SERVICE_LIMIT);
}

#[test]
fn who_goes_on_talking_stays_proven_under_an_attack_of_hours() {
    let memory = guarded(20);
    prove(&memory);
    assert_eq!(passing(&memory, &stranger(9)), 10);
    memory.now_ns.set(NOW_NS + HOUR_NS / 2);
    memory.established.set(true);
    assert_eq!(refused(&memory, &data()), Reason::NO_RULE);
    assert_eq!(memory.counters(4).preferred, 1, "the guard is up");
    memory.established.set(false);
    memory.now_ns.set(NOW_NS + HOUR_NS + 20 * SECOND);
    assert_eq!(refused(&memory, &data()), Reason::NO_RULE);
}

#[test]
fn a_segment_of_an_established_socket_proves_itself_on_the_spot() {
    let memory = guarded(20);
    assert_eq!(passing(&memory, &stranger(9)), 10);
    assert_eq!(refused(&memory, &data()), Reason::SERVICE_LIMIT);
    memory.established.set(true);
    assert_eq!(refused(&memory, &data()), Reason::NO_RULE);
    memory.established.set(false);
    assert_eq!(refused(&memory, &data()), Reason::NO_RULE);
}

#[test]
fn what_opens_a_connection_or_is_no_segment_proves_nothing() {
    let memory = guarded(20);
    assert_eq!(passing(&memory, &stranger(9)), 10);
    memory.established.set(true);
    assert_eq!(refused(&memory, &syn()), Reason::SERVICE_LIMIT);
    let datagram = parsed(&client(1).udp((5000, 443), b"?"));
    assert_eq!(refused(&memory, &datagram), Reason::SERVICE_LIMIT);
}

#[test]
fn the_last_segment_of_a_handshake_teaches_and_its_first_and_a_reset_do_not() {
    for (flags, reason) in [
        (0x10, Reason::NO_RULE),
        (0x02, Reason::SERVICE_LIMIT),
        (0x12, Reason::SERVICE_LIMIT),
        (0x14, Reason::SERVICE_LIMIT),
    ] {
        let memory = guarded(20);
        memory.established.set(true);
        let bare = Segment { flags, ..Segment::data((40_000, 443), 7, b"") };
        learn(&memory, &mut parsed(&client(1).tcp(bare)));
        memory.established.set(false);
        assert_eq!(passing(&memory, &stranger(9)), 10);
        assert_eq!(refused(&memory, &syn()), reason);
    }
}

#[test]
fn without_a_guard_strangers_get_all() {
    let memory = memory(&[(4, together(20))], &[Plan::LOOK | 4, 4]);
    prove(&memory);
    assert_eq!(passing(&memory, &stranger(9)), 20);
    assert_eq!(refused(&memory, &syn()), Reason::SERVICE_LIMIT);
}

#[test]
fn a_guarded_burst_of_one_lets_one_through() {
    let memory = guarded(1);
    assert_eq!(passing(&memory, &stranger(9)), 1);
}
