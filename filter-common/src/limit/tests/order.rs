//! Who is asked first, and who is charged.

use super::*;

/// Two that count each client, and one that counts everybody.
fn three(first: u64, second: u64, all: u64) -> LimitMemory {
    let rows = [(2, packets(first)), (3, packets(second)), (4, together(all))];
    memory(&rows, &[Plan::LOOK | 4, 2, 3, 4])
}

#[test]
fn the_first_that_refuses_decides_and_what_is_behind_it_is_not_charged() {
    let memory = three(5, 2, 9);
    assert_eq!(passing(&memory, &data()), 2);
    assert_eq!(counts(&memory.counters(2)), [3, 0, 0]);
    assert_eq!(counts(&memory.counters(3)), [2, 1, 0]);
    assert_eq!(counts(&memory.counters(4)), [2, 0, 0]);
}

#[test]
fn a_full_aggregate_refuses_before_a_client_is_charged() {
    let memory = three(5, 5, 2);
    assert_eq!(passing(&memory, &data()), 2);
    assert_eq!(refused(&memory, &data()), Reason::SERVICE_LIMIT);
    assert_eq!(counts(&memory.counters(2)), [2, 0, 0]);
    assert_eq!(counts(&memory.counters(4)), [2, 2, 0]);
}

#[test]
fn looking_charges_nothing() {
    let memory = memory(&[(4, together(1))], &[Plan::LOOK | 4]);
    assert_eq!(passing(&memory, &data()), 100);
    assert_eq!(memory.counters(4), ProfileCounters::default());
}

#[test]
fn a_full_aggregate_refuses_before_a_throttle_or_a_list_is_charged() {
    let mut memory = three(5, 5, 1);
    memory.profiles.insert(THROTTLE_PROFILE, packets(9));
    memory.profiles.insert(6, packets(9));
    memory.lists.insert(7, ListLimit { profile: 6, unit: 0 });
    let mut frame = data();
    frame.class =
        AddressClass::new((AddressClass::LIMIT, ListId(7)), (AddressClass::NONE, ListId::NONE));
    let throttled = || checked(&memory, throttled(Mode::ENFORCE), &frame).refused;
    assert_eq!([throttled(), throttled()], [Reason::NO_RULE, Reason::SERVICE_LIMIT]);
    for number in [THROTTLE_PROFILE, 6] {
        assert_eq!(counts(&memory.counters(number)), [1, 0, 0]);
    }
}

#[test]
fn a_throttle_comes_before_a_list_and_a_list_before_the_service() {
    for (bursts, reason) in [
        ([1, 1, 1], Reason::THROTTLE),
        ([2, 1, 1], Reason::LIST_LIMIT),
        ([2, 2, 1], Reason::CONNECTION_LIMIT),
    ] {
        let throttle = Profile { reason: Reason::THROTTLE.0, ..packets(bursts[0]) };
        let rows = [(1, throttle), (2, packets(bursts[1])), (3, connections(bursts[2]))];
        let mut memory = memory(&rows, &[3]);
        memory.lists.insert(7, ListLimit { profile: 2, unit: 0 });
        let mut frame = syn();
        frame.class =
            AddressClass::new((AddressClass::LIMIT, ListId(7)), (AddressClass::NONE, ListId::NONE));
        let throttled = || checked(&memory, throttled(Mode::ENFORCE), &frame).refused;
        assert_eq!([throttled(), throttled()], [Reason::NO_RULE, reason]);
    }
}

#[test]
fn fourteen_steps_and_a_throttle_and_a_list_are_all_taken() {
    let numbers: std::vec::Vec<u64> = (10..24).collect();
    let mut memory = memory(&[(1, packets(9)), (30, connections(9))], &numbers);
    memory.profiles.extend((10..24).map(|number| (number, packets(9))));
    memory.lists.insert(7, ListLimit { profile: 30, unit: u32::from(Profile::CONNECTIONS) });
    let mut frame = syn();
    frame.class =
        AddressClass::new((AddressClass::LIMIT, ListId(7)), (AddressClass::NONE, ListId::NONE));
    checked(&memory, throttled(Mode::ENFORCE), &frame);
    for number in (10..24).chain([1, 30]) {
        assert_eq!(counts(&memory.counters(number)), [1, 0, 0], "{number}");
    }
}

#[test]
fn clients_are_counted_by_their_prefixes() {
    let wide = Profile { v4_mask: 0xffff_ff00, v6_mask: 0xffff_ffff_ffff_0000, ..packets(3) };
    let memory = memory(&[(2, wide)], &[2]);
    let v6 = |fourth| {
        let mut source = [0x20; 16];
        source[7] = fourth;
        parsed(&Builder::v6(source, [7; 16]))
    };
    let of = |last| parsed(&client(last));
    let neighbours = [1, 2, 3, 4].map(|last| refused(&memory, &of(last)));
    assert_eq!(neighbours.map(|reason| reason == Reason::NO_RULE), [true, true, true, false]);
    let subnets = [1, 2, 3, 4].map(|fourth| refused(&memory, &v6(fourth)));
    assert_eq!(subnets.map(|reason| reason == Reason::NO_RULE), [true, true, true, false]);
}

#[test]
fn the_owner_of_a_64_gets_one_clients_rate() {
    let memory = memory(&[(2, packets(10))], &[2]);
    let passed = (0..1000_u64).filter(|low| {
        let mut source = [0x20; 16];
        source[8..].copy_from_slice(&low.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        refused(&memory, &parsed(&Builder::v6(source, [7; 16]))) == Reason::NO_RULE
    });
    assert_eq!(passed.count(), 10);
}
