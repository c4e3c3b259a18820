//! Lists that name a profile, and throttle verdicts.

use super::*;

const ENFORCED: Mode = Mode::ENFORCE;

fn listed(mut frame: Frame, mode: Mode) -> Frame {
    let (answer, none) = ((AddressClass::LIMIT, ListId(7)), (AddressClass::NONE, ListId::NONE));
    frame.class = if mode == ENFORCED {
        AddressClass::new(answer, none)
    } else {
        AddressClass::new(none, answer)
    };
    frame
}

/// A service with two packets and two connections, and a list with other packets.
fn with_list(burst: u64) -> LimitMemory {
    let rows = [(2, packets(2)), (3, connections(2)), (4, packets(burst)), (5, together(50))];
    let mut memory = memory(&rows, &[2, 3, 5]);
    memory.lists.insert(7, ListLimit { profile: 4, unit: u32::from(Profile::PACKETS) });
    memory
}

#[test]
fn a_list_takes_the_place_of_the_service_s_limits_of_its_unit() {
    let memory = with_list(9);
    assert_eq!(passing(&memory, &listed(data(), ENFORCED)), 9);
    let last = checked(&memory, Standing::default(), &listed(data(), ENFORCED));
    assert_eq!((last.refused, last.refused_by), (Reason::LIST_LIMIT, 7));
    assert_eq!(counts(&memory.counters(2)), [0; 3]);
    assert_eq!(counts(&memory.counters(5)), [9, 0, 0], "everybody is everybody");
}

#[test]
fn limits_of_other_units_stay_in_force() {
    let memory = with_list(9);
    assert_eq!(passing(&memory, &listed(syn(), ENFORCED)), 2);
    assert_eq!(refused(&memory, &listed(syn(), ENFORCED)), Reason::CONNECTION_LIMIT);
}

#[test]
fn a_list_without_a_limit_changes_nothing() {
    let mut memory = with_list(9);
    memory.lists.clear();
    assert_eq!(passing(&memory, &listed(data(), ENFORCED)), 2);
}

#[test]
fn a_list_in_shadow_limits_nobody_and_says_whom_it_would() {
    let memory = with_list(1);
    let outcomes = [0; 3].map(|_| {
        let frame = checked(&memory, Standing::default(), &listed(data(), Mode::SHADOW));
        (frame.refused, frame.shadowed, frame.refused_by)
    });
    let (none, list) = (Reason::NO_RULE, Reason::LIST_LIMIT);
    assert_eq!(outcomes, [(none, none, 0), (none, list, 7), (Reason::PACKET_LIMIT, list, 7)]);
    assert_eq!(counts(&memory.counters(4)), [1, 0, 2]);
}

#[test]
fn a_list_in_shadow_does_not_charge_what_the_service_charges() {
    let mut memory = with_list(9);
    memory.lists.insert(7, ListLimit { profile: 2, unit: u32::from(Profile::PACKETS) });
    assert_eq!(passing(&memory, &listed(data(), Mode::SHADOW)), 2);
    memory.now_ns.set(NOW_NS + 10_000 * SECOND);
    assert_eq!(passing(&memory, &listed(data(), ENFORCED)), 2);
    assert_eq!(counts(&memory.counters(2)), [4, 2, 0]);
}

#[test]
fn a_throttle_holds_beside_a_list_of_the_same_unit() {
    let mut memory = with_list(9);
    memory.profiles.insert(THROTTLE_PROFILE, Profile { reason: Reason::THROTTLE.0, ..packets(3) });
    let frame = listed(data(), ENFORCED);
    let refused = [0; 4].map(|_| checked(&memory, throttled(ENFORCED), &frame).refused);
    let none = Reason::NO_RULE;
    assert_eq!(refused, [none, none, none, Reason::THROTTLE]);
}

#[test]
fn a_throttle_in_shadow_limits_nobody_and_says_whom_it_would() {
    let mut memory = memory(&[(2, packets(3))], &[2]);
    memory.profiles.insert(THROTTLE_PROFILE, Profile { reason: Reason::THROTTLE.0, ..packets(1) });
    let outcomes = [0; 4].map(|_| {
        let frame = checked(&memory, throttled(Mode::SHADOW), &data());
        (frame.refused, frame.shadowed)
    });
    let (none, throttle) = (Reason::NO_RULE, Reason::THROTTLE);
    let last = (Reason::PACKET_LIMIT, throttle);
    assert_eq!(outcomes, [(none, none), (none, throttle), (none, throttle), last]);
    assert_eq!(counts(&memory.counters(THROTTLE_PROFILE)), [1, 0, 3]);
}
