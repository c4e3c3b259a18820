use super::*;
use crate::abi::counter::Reason;
use crate::limit::memory::LimitMemory;
use crate::limit::tests::{NOW_NS, SECOND, client, memory, packets, parsed, refused};
use crate::wire::address::Address;
use crate::wire::frame::Frame;
use std::vec::Vec;

mod race;

const SET: u32 = 4711;
const HOUR_NS: u64 = 3600 * SECOND;

/// A packet of one of the /64s whose meters are in the one set. Nobody outside can name
/// them; whoever has the secrets can.
fn packet(memory: &LimitMemory, profile: u32, owner: u64) -> Frame {
    let tag = owner << 17 | 1 << 15 | 1 << 16 | u64::from(profile);
    let bank = memory.profiles.get(&profile).map_or(0, |p| if p.is_quota() { 1 << 17 } else { 0 });
    let client = key::client(&memory.secrets, SET | bank, tag);
    let mut frame = parsed(&self::client(1).udp((5000, 443), b"?"));
    frame.source = Address { high: client.high, low: owner };
    frame
}

fn passes(memory: &LimitMemory, owner: u64) -> bool {
    refused(memory, &packet(memory, 2, owner)) == Reason::NO_RULE
}

/// Has an owner use so many packets.
fn uses(memory: &LimitMemory, owner: u64, count: u64) {
    for _ in 0..count {
        assert!(passes(memory, owner));
    }
}

/// Packets that an owner can send now.
fn left(memory: &LimitMemory, owner: u64) -> u64 {
    (0..1000).take_while(|_| passes(memory, owner)).count().try_into().unwrap()
}

fn untracked(memory: &LimitMemory) -> u64 {
    memory.counters(2).untracked
}

/// Owners whose meters are in the set.
fn owners(memory: &LimitMemory) -> Vec<u64> {
    let meters = memory.meters(SET).unwrap();
    let mut owners: Vec<u64> = (0..WAYS).map(|way| meters.tag(way).load() >> 17).collect();
    owners.sort_unstable();
    owners
}

fn limited() -> LimitMemory {
    memory(&[(2, packets(100))], &[2])
}

#[test]
fn owners_of_the_set_meet_there() {
    let memory = limited();
    for owner in 1..=3 {
        uses(&memory, owner, 1);
    }
    assert_eq!(owners(&memory), [0, 1, 2, 3]);
}

#[test]
fn one_that_rests_is_as_good_as_an_empty_one() {
    let memory = limited();
    uses(&memory, 1, 30);
    uses(&memory, 2, 1);
    memory.now_ns.set(NOW_NS + 2 * HOUR_NS);
    uses(&memory, 3, 1);
    assert_eq!(owners(&memory), [0, 0, 1, 3]);
}

#[test]
fn those_that_rest_are_taken_before_light_ones() {
    let memory = limited();
    uses(&memory, 1, 1);
    uses(&memory, 2, 9);
    memory.now_ns.set(NOW_NS + HOUR_NS);
    uses(&memory, 3, 1);
    uses(&memory, 4, 1);
    uses(&memory, 5, 1);
    assert_eq!(owners(&memory), [2, 3, 4, 5]);
}

#[test]
fn light_ones_are_taken_before_held_ones_and_are_forgiven_a_quarter_at_most() {
    let memory = limited();
    for owner in [1, 2, 4] {
        uses(&memory, owner, 26);
    }
    uses(&memory, 3, 25);
    uses(&memory, 5, 1);
    assert_eq!(owners(&memory), [1, 2, 4, 5]);
    assert_eq!([1, 2, 4].map(|owner| left(&memory, owner)), [74; 3]);
    assert_eq!(left(&memory, 3), 100, "in the place of the newcomer");
}

#[test]
fn in_a_full_set_newcomers_go_untracked_until_one_comes_to_rest() {
    let memory = limited();
    for owner in 1..=4 {
        uses(&memory, owner, 26);
    }
    assert_eq!(refused(&memory, &packet(&memory, 2, 5)), Reason::NO_RULE);
    assert_eq!((untracked(&memory), memory.counters(2).passed.packets), (1, 104));
    assert_eq!(owners(&memory), [1, 2, 3, 4]);
    memory.now_ns.set(NOW_NS + HOUR_NS);
    assert_eq!(left(&memory, 5), 100);
    assert_eq!(untracked(&memory), 1);
}

#[test]
fn a_flood_of_newcomers_never_pushes_a_held_one_out() {
    let memory = limited();
    uses(&memory, 1, 100);
    uses(&memory, 2, 26);
    for owner in 3..20_003 {
        memory.now_ns.set(NOW_NS + owner * 1000);
        assert!(passes(&memory, owner));
        if owner % 100 == 0 {
            assert!(!passes(&memory, 1));
        }
    }
    assert_eq!(untracked(&memory), 0);
    assert_eq!([1, 2].map(|owner| left(&memory, owner)), [0, 74]);
}

/// A flood that aims at one set, as nobody can, and spends what it takes to hold it.
#[test]
fn who_holds_a_whole_set_has_spent_a_quarter_of_a_burst_in_each_way() {
    let memory = limited();
    for round in 0..26 {
        for owner in 1..=4 {
            assert_eq!(owners(&memory).contains(&owner), round > 0);
            uses(&memory, owner, 1);
        }
        let before = owners(&memory);
        assert!(passes(&memory, 5));
        assert_eq!(owners(&memory) == before, round == 25, "in round {round}");
        if round < 25 {
            // Whoever it pushed out starts again, so put it back.
            let lost = (1..=4).find(|owner| !owners(&memory).contains(owner)).unwrap();
            uses(&memory, lost, round + 1);
        }
    }
    assert_eq!(untracked(&memory), 1);
}

#[test]
fn meters_of_a_profile_that_is_gone_make_room() {
    for gone in [None, Some(Profile::default())] {
        let mut memory = limited();
        for owner in 1..=4 {
            uses(&memory, owner, 100);
        }
        memory.profiles = gone.map(|profile| (2, profile)).into_iter().collect();
        memory.profiles.insert(3, packets(100));
        memory.plan.low = 3;
        // Profiles two and three share their sets.
        for owner in 11..=14 {
            assert_eq!(refused(&memory, &packet(&memory, 3, owner)), Reason::NO_RULE);
        }
        assert_eq!(memory.counters(3).untracked, 0);
        assert_eq!(owners(&memory), [11, 12, 13, 14]);
    }
}

#[test]
fn two_profiles_of_one_client_have_a_meter_each() {
    let memory = memory(&[(2, packets(10)), (3, packets(50))], &[2, 3]);
    assert_eq!(left(&memory, 1), 10);
    assert_eq!(owners(&memory), [0, 0, 1, 1]);
    assert_eq!(memory.counters(3).passed.packets, 10);
}

#[test]
fn quotas_are_held_by_what_they_have_used() {
    let rate = Rate { burst: 100, ..Rate::default() };
    let memory = memory(&[(2, Profile { rate, window: 1000, ..packets(1) })], &[2]);
    for owner in 1..=4 {
        uses(&memory, owner, 26);
    }
    assert!(passes(&memory, 5));
    assert_eq!(untracked(&memory), 1);
    memory.now_ns.set(NOW_NS + (1000 << 30));
    assert_eq!(left(&memory, 5), 100);
}

#[test]
fn a_newcomer_that_is_refused_takes_nothing_from_anybody() {
    let quota = |burst, unit| {
        let rate = Rate { burst, ..Rate::default() };
        Profile { rate, window: 1000, unit, ..packets(1) }
    };
    let profiles = [(2, quota(100, Profile::PACKETS)), (3, quota(10, Profile::BYTES))];
    let mut memory = memory(&profiles, &[2]);
    for owner in 1..=4 {
        uses(&memory, owner, 20);
    }
    memory.plan.low = 3;
    assert_ne!(refused(&memory, &packet(&memory, 3, 5)), Reason::NO_RULE);
    memory.plan.low = 2;
    for owner in 1..=4 {
        assert_eq!(left(&memory, owner), 80);
    }
}
