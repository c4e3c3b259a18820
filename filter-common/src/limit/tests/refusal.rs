//! What follows from a refusal.

use super::*;

fn acting(action: u8) -> LimitMemory {
    memory(&[(2, Profile { action, ..packets(1) })], &[2])
}

/// The second packet of a client that may send one.
fn second(memory: &LimitMemory, frame: &Frame) -> Frame {
    checked(memory, Standing::default(), frame);
    checked(memory, Standing::default(), frame)
}

#[test]
fn what_is_refused_is_dropped() {
    let frame = second(&acting(Profile::DROP), &data());
    assert_eq!((frame.refused, frame.refusal), (Reason::PACKET_LIMIT, Verdict::DROP));
}

#[test]
fn a_segment_of_an_open_connection_is_reset_and_all_else_dropped() {
    let rows = [
        (data(), Verdict::RESET),
        (syn(), Verdict::DROP),
        (parsed(&client(1).udp((5000, 443), b"?")), Verdict::DROP),
        (
            parsed(&client(1).tcp(Segment::data((1, 443), 7, b"part")).fragment(0, true)),
            Verdict::DROP,
        ),
        (
            parsed(&client(1).tcp(Segment { flags: 0x14, ..Segment::data((1, 443), 7, b"") })),
            Verdict::DROP,
        ),
    ];
    for (frame, verdict) in rows {
        assert_eq!(second(&acting(Profile::RESET), &frame).refusal, verdict);
    }
}

#[test]
fn a_profile_in_shadow_refuses_nothing_and_is_not_charged_when_it_would() {
    let memory = acting(Profile::SHADOW);
    let frame = second(&memory, &data());
    assert_eq!((frame.refused, frame.shadowed), (Reason::NO_RULE, Reason::PACKET_LIMIT));
    assert_eq!(counts(&memory.counters(2)), [1, 0, 1]);
    memory.now_ns.set(NOW_NS + 3600 * SECOND);
    assert_eq!(checked(&memory, Standing::default(), &data()).shadowed, Reason::NO_RULE);
}

#[test]
fn a_shadow_before_it_changes_nothing_for_a_profile_that_acts() {
    let shadow = Profile { action: Profile::SHADOW, ..packets(1) };
    let memory = memory(&[(2, shadow), (3, connections(2))], &[2, 3]);
    assert_eq!(passing(&memory, &syn()), 2);
    let last = checked(&memory, Standing::default(), &syn());
    assert_eq!((last.refused, last.shadowed), (Reason::CONNECTION_LIMIT, Reason::PACKET_LIMIT));
}

#[test]
fn an_aggregate_in_shadow_tells_once_and_behind_the_clients() {
    let shadow = Profile { action: Profile::SHADOW, ..together(1) };
    let memory = memory(&[(2, packets(3)), (4, shadow)], &[Plan::LOOK | 4, 2, 4]);
    assert_eq!(passing(&memory, &data()), 3);
    assert_eq!(counts(&memory.counters(4)), [1, 0, 2]);
    assert_eq!(counts(&memory.counters(2)), [3, 1, 0]);
}

#[test]
fn a_host_that_monitors_refuses_nothing_and_says_what_it_would() {
    let rows = [(2, packets(1)), (3, connections(2)), (4, together(3))];
    let memory = memory(&rows, &[Plan::LOOK | 4, 2, 3, 4]);
    let mut frame = syn();
    frame.monitor = 1;
    let outcomes = [0; 4].map(|_| {
        let frame = checked(&memory, Standing::default(), &frame);
        (frame.refused, frame.shadowed)
    });
    let would = (Reason::NO_RULE, Reason::PACKET_LIMIT);
    assert_eq!(outcomes, [(Reason::NO_RULE, Reason::NO_RULE), would, would, would]);
    assert_eq!(counts(&memory.counters(2)), [1, 0, 3]);
    assert_eq!(counts(&memory.counters(3)), [2, 0, 2]);
    assert_eq!(counts(&memory.counters(4)), [3, 0, 1]);
}

#[test]
fn who_goes_over_is_noted_and_who_does_not_is_not() {
    let memory = acting(Profile::DROP);
    refused(&memory, &data());
    assert!(memory.take_offenders().is_empty());
    refused(&memory, &data());
    let offenders = memory.take_offenders();
    let [(place, at_ns)] = offenders[..] else { panic!("{offenders:?}") };
    assert_eq!(at_ns, NOW_NS);
    assert_eq!(key::client(&SECRETS, place.set, place.tag), data().source.client());
    assert_eq!(key::number(place.tag), 2);
}

#[test]
fn a_quota_is_held_like_a_rate_and_comes_back_with_its_window() {
    let rate = Rate { burst: 3, ..Rate::default() };
    let quota = Profile { rate, window: 100, reason: Reason::QUOTA.0, ..connections(1) };
    let memory = memory(&[(2, quota)], &[2]);
    assert_eq!(passing(&memory, &syn()), 3);
    assert_eq!(refused(&memory, &syn()), Reason::QUOTA);
    memory.now_ns.set(NOW_NS + (100 << 30));
    assert_eq!(passing(&memory, &syn()), 3);
}
