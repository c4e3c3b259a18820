//! Guards, offences, and the busiest keys.

use crate::limit::LimitSettings;
use crate::limit::guard::{GUARD_CALM_NS, Guard, GuardEvent};
use crate::limit::offence::{Offences, REPEAT_NS, Stage};
use crate::limit::top::{Usage, busiest};
use crate::limit::whom::Whom;
use filter_common::abi::limit::{Meter, OFFENDER_IDLE_NS, Offender, Profile};
use filter_common::limit::key;
use filter_common::limit::quota;
use filter_common::wire::address::Address;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const SECOND_NS: u64 = 1_000_000_000;

#[test]
fn a_guard_enters_with_the_first_refusal_and_leaves_after_calm() {
    let mut guard = Guard::default();
    // What an earlier daemon saw isn't news.
    assert_eq!(guard.handle("all", 500, 20, 0), None);
    assert_eq!(guard.handle("all", 500, 25, SECOND_NS), None, "nobody was refused");
    assert_eq!(guard.handle("all", 501, 25, 2 * SECOND_NS), Some(GuardEvent::Entered));
    assert_eq!(guard.since_ns("all"), Some(2 * SECOND_NS));
    assert_eq!(guard.handle("all", 501, 25, 2 * SECOND_NS + GUARD_CALM_NS - 1), None);
    let last_ns = 3 * SECOND_NS + GUARD_CALM_NS;
    assert_eq!(guard.handle("all", 501, 26, last_ns - SECOND_NS / 2), None, "a preference");
    assert_eq!(guard.handle("all", 501, 26, last_ns), None);
    assert_eq!(guard.pressed().collect::<Vec<_>>(), [("all", 2 * SECOND_NS)]);
    let left = guard.handle("all", 501, 26, last_ns + GUARD_CALM_NS);
    assert_eq!(left, Some(GuardEvent::Left));
    assert_eq!(guard.handle("all", 501, 26, last_ns + 2 * GUARD_CALM_NS), None);
    assert_eq!(guard.since_ns("all"), None);
}

#[test]
fn counters_that_start_again_are_no_refusal() {
    let mut guard = Guard::default();
    guard.handle("all", 500, 20, 0);
    assert_eq!(guard.handle("all", 0, 0, 1), None);
    assert_eq!(guard.handle("all", 1, 0, 2), Some(GuardEvent::Entered));
    guard.forget("all");
    assert_eq!(guard.handle("all", 7, 0, 3), None);
}

proptest! {
    #[test]
    fn a_guard_enters_and_leaves_in_turn(steps in prop::collection::vec((0_u64..3, 0_u64..8), 1..80)) {
        let (mut guard, mut refused, mut now_ns, mut inside) = (Guard::default(), 0, 0, false);
        for (more, seconds) in steps {
            refused += more / 2;
            now_ns += seconds * SECOND_NS;
            if let Some(event) = guard.handle("all", refused, 0, now_ns) {
                prop_assert_eq!(event == GuardEvent::Entered, !inside);
                inside = !inside;
            }
            prop_assert_eq!(guard.since_ns("all").is_some(), inside);
        }
    }
}

fn offender(tag: u64, began_s: u64, until_s: u64, count: u64) -> Offender {
    let (first_ns, last_ns) = (began_s * SECOND_NS, until_s * SECOND_NS);
    Offender { tag, set: 3, first_ns, last_ns, count, reserved: 0 }
}

/// Stage and count of what is told.
fn told(offences: &mut Offences, rows: &[Offender], now_s: u64) -> Vec<(Stage, u64)> {
    let told = offences.handle(rows.iter().copied(), now_s * SECOND_NS);
    told.iter().map(|offence| (offence.stage, offence.count)).collect()
}

#[test]
fn an_offence_is_told_when_it_begins_each_minute_and_at_its_end() {
    let mut offences = Offences::default();
    let offences = &mut offences;
    assert_eq!(told(offences, &[], 100), []);
    assert_eq!(told(offences, &[offender(9, 100, 100, 1)], 101), [(Stage::Began, 1)]);
    for now_s in 102..161 {
        assert_eq!(told(offences, &[offender(9, 100, now_s, now_s)], now_s), []);
    }
    assert_eq!(told(offences, &[offender(9, 100, 161, 700)], 161), [(Stage::Lasts, 700)]);
    assert_eq!(offences.open().count(), 1);
    assert_eq!(told(offences, &[offender(9, 100, 165, 720)], 170), []);
    assert_eq!(told(offences, &[offender(9, 100, 165, 720)], 175), [(Stage::Ended, 720)]);
    assert_eq!(told(offences, &[offender(9, 100, 165, 720)], 300), []);
    assert_eq!(offences.open().count(), 0);
}

#[test]
fn the_same_key_begins_again_and_is_counted_anew() {
    let mut offences = Offences::default();
    let offences = &mut offences;
    told(offences, &[offender(9, 100, 100, 5)], 101);
    assert_eq!(told(offences, &[offender(9, 100, 100, 5)], 111), [(Stage::Ended, 5)]);
    // The kernel counts on in the same place.
    let again = offender(9, 100, 400, 8);
    let began = offences.handle([again].into_iter(), 401 * SECOND_NS);
    assert_eq!(
        (began[0].stage, began[0].count, began[0].first_ns),
        (Stage::Began, 3, 400 * SECOND_NS)
    );
    assert_eq!(told(offences, &[again], 411), [(Stage::Ended, 3)]);
    // It lost the place and got it back.
    assert_eq!(told(offences, &[offender(9, 500, 500, 2)], 500), [(Stage::Began, 2)]);
}

#[test]
fn who_loses_its_place_is_through() {
    let mut offences = Offences::default();
    let offences = &mut offences;
    told(offences, &[offender(9, 100, 100, 5), offender(8, 100, 101, 1)], 101);
    assert_eq!(
        told(offences, &[offender(7, 102, 102, 1), offender(8, 100, 102, 4)], 102),
        [(Stage::Ended, 5), (Stage::Began, 1),]
    );
}

#[test]
fn what_was_over_before_the_daemon_came_is_not_told() {
    let mut offences = Offences::default();
    let idle_s = OFFENDER_IDLE_NS / SECOND_NS;
    assert_eq!(told(&mut offences, &[offender(9, 1, 100, 5)], 100 + idle_s), []);
    assert_eq!(told(&mut offences, &[offender(9, 1, 200, 6)], 201), [(Stage::Began, 1)]);
}

proptest! {
    #[test]
    fn each_offence_begins_and_ends_in_turn_and_is_told_once_a_minute(
        steps in prop::collection::vec((0_u64..3, 1_u64..15), 1..120),
    ) {
        let mut offences = Offences::default();
        let (mut seen, mut now_s) = (offender(9, 0, 0, 0), 1);
        let mut events = Vec::new();
        for (more, wait_s) in steps {
            now_s += wait_s;
            if more > 0 {
                let first_ns = if seen.count == 0 { now_s * SECOND_NS } else { seen.first_ns };
                let last_ns = now_s * SECOND_NS;
                seen = Offender { first_ns, last_ns, count: seen.count + more, ..seen };
            }
            for offence in offences.handle([seen].into_iter(), now_s * SECOND_NS) {
                events.push((now_s, offence));
            }
        }
        let mut total = 0;
        let mut before: Option<(u64, Stage)> = None;
        for (at_s, offence) in &events {
            let follows = match before {
                None | Some((_, Stage::Ended)) => offence.stage == Stage::Began,
                Some((told_s, _)) => {
                    let waited = at_s - told_s >= REPEAT_NS / SECOND_NS;
                    offence.stage == Stage::Ended || (offence.stage == Stage::Lasts && waited)
                }
            };
            prop_assert!(follows, "{events:?}");
            prop_assert!(offence.first_ns <= offence.last_ns);
            before = Some((*at_s, offence.stage));
            total += if offence.stage == Stage::Ended { offence.count } else { 0 };
        }
        total += offences.open().map(|offence| offence.count).sum::<u64>();
        prop_assert_eq!(total, seen.count, "no refusal is lost or told twice");
    }
}

const SECRETS: key::Secrets = [0x1234, 0x5678_9abc];

fn profile(number: u32, toml: &str) -> Profile {
    toml::from_str::<LimitSettings>(toml).unwrap().profile(number)
}

/// A meter with so much in use.
fn meter(profile: &Profile, number: u32, source: Address, used: u64, now_ns: u64) -> (u32, Meter) {
    let place = key::place(&SECRETS, profile, number, &source, 0);
    let word = if profile.is_quota() {
        quota::stamp(now_ns) << 40 | used
    } else {
        profile.rate.clock(now_ns) + profile.rate.ticks(used)
    };
    (place.set, Meter { tag: place.tag, word })
}

#[test]
fn the_busiest_come_first_by_their_share() {
    let now_ns = 5_000 * SECOND_NS;
    let packets = profile(4, "unit = 'packets'\nrate = '10/s'\nburst = 100");
    let quota = profile(5, "unit = 'bytes'\nquota = '1MB/hour'\nkey = 'client/24/56'");
    let v4 = |last: u32| Address::v4(0xc000_0200 | last);
    let v6 = Address { high: 0x2001_0db8_0001_0203, low: 9 };
    let meters = [
        meter(&packets, 4, v4(1), 50, now_ns),
        meter(&packets, 4, v4(2), 100, now_ns),
        meter(&quota, 5, v4(3), 750_000, now_ns),
        meter(&quota, 5, v6, 900_000, now_ns),
        meter(&packets, 4, v4(4), 0, now_ns),
        meter(&packets, 9, v4(5), 80, now_ns),
    ];
    let profiles = BTreeMap::from([(4, packets), (5, quota)]);
    let top = busiest(meters.into_iter(), &profiles, &SECRETS, now_ns, 3);
    let named: Vec<_> =
        top.iter().map(|busy| (busy.whom.to_string(), busy.usage.permille())).collect();
    let expected = [("192.0.2.2/32", 1000), ("2001:db8:1:200::/56", 900), ("192.0.2.0/24", 750)];
    assert_eq!(named, expected.map(|(prefix, share)| (prefix.to_owned(), share)));
    assert_eq!((top[0].usage.used, top[0].usage.of), (100, 100));
    let resets = top[0].usage.resets_in.as_secs_f64();
    assert!((9.99..=10.0).contains(&resets), "{resets}");
    assert_eq!((top[1].usage.used, top[1].usage.of), (900_000, 1_000_000));
    assert!(top[1].usage.resets_in > Duration::from_secs(3_590));
}

#[test]
fn a_part_of_a_unit_is_in_use() {
    let packets = profile(4, "unit = 'packets'\nrate = '1/s'\nburst = 2");
    let word = packets.rate.clock(SECOND_NS) + 1;
    let usage = Usage::of(&packets, word, SECOND_NS);
    assert_eq!((usage.used, usage.of), (1, 2));
    assert_eq!(Usage::of(&packets, word, 3 * SECOND_NS).used, 0);
}

proptest! {
    #[test]
    fn a_meter_is_about_the_prefix_that_it_was_made_for(
        secrets in any::<[u64; 2]>(),
        high in any::<u64>(),
        low in any::<u64>(),
        v4 in 1_u8..=32,
        v6 in 1_u8..=64,
        number in 1_u32..64,
        is_v4 in any::<bool>(),
        quota in any::<bool>(),
    ) {
        let allowance = if quota { "quota = '5/day'" } else { "rate = '5/s'" };
        let text = format!("unit = 'packets'\n{allowance}\nkey = 'client/{v4}/{v6}'");
        let profile = profile(number, &text);
        let source = if is_v4 {
            Address::v4(u32::try_from(low >> 32).unwrap())
        } else {
            // What would be IPv4 isn't IPv6.
            Address { high: high | 1 << 63, low }
        };
        let place = key::place(&secrets, &profile, number, &source, 0);
        let Whom::Client(found) = Whom::of(&secrets, &profile, place.set, place.tag) else {
            panic!("a meter of clients");
        };
        let address = crate::replay::ip_addr(&source);
        prop_assert!(found.contains(&address));
        prop_assert_eq!(found.prefix_len(), if is_v4 { v4 } else { v6 });
        prop_assert_eq!(found.trunc(), found);
        prop_assert_eq!(key::number(place.tag), number);
    }
}

#[test]
fn a_meter_of_a_fingerprint_names_it() {
    let profile = Profile { key: Profile::BY_FINGERPRINT, ..Profile::default() };
    for name in [1, u64::MAX, 0x1234_5678_9abc_def1] {
        let place = key::place(&SECRETS, &profile, 9, &Address::v4(7), name);
        let whom = Whom::of(&SECRETS, &profile, place.set, place.tag);
        assert_eq!(whom, Whom::Fingerprint(name));
        let ja4 = |known| (known == name).then(|| "t13".to_owned());
        assert_eq!(whom.named(ja4), "t13");
    }
    let pair = Profile { key: Profile::BY_FINGERPRINT_OF_CLIENT, v4_mask: u32::MAX, ..profile };
    let at = |address, name| key::place(&SECRETS, &pair, 9, &Address::v4(address), name);
    assert_ne!(at(7, 1), at(8, 1));
    assert_ne!(at(7, 1), at(7, 3));
    assert_eq!(Whom::of(&SECRETS, &pair, at(7, 1).set, at(7, 1).tag), Whom::Pair);
}
