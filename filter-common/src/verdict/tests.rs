use super::*;
use crate::abi::config::HostConfig;
use crate::abi::counter::{Reason, Verdict};
use crate::abi::limit::{Profile, THROTTLE_PROFILE};
use crate::abi::width::VerdictKey;
use crate::decide::tests::memory::Memory;
use crate::gcra::Rate;
use crate::limit::key;
use crate::limit::meter::{Meters, Word};
use crate::packet::Packet;
use proptest::prelude::*;
use std::vec::Vec;

const NOW_NS: u64 = 1_000;

/// `192.0.2.77` and `2001:db8:1:203::9`.
const V4: [u8; 4] = [192, 0, 2, 77];
const V6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 9];

fn v6() -> Address {
    Address { high: 0x2001_0db8_0001_0203, low: 9 }
}

fn verdict(action: u8, mode: Mode) -> ClientVerdict {
    ClientVerdict { expires_ns: NOW_NS + 1, action, mode: mode.0, ..ClientVerdict::default() }
}

fn ended(action: u8) -> ClientVerdict {
    ClientVerdict { expires_ns: NOW_NS, ..verdict(action, Mode::ENFORCE) }
}

fn throttle() -> Profile {
    Profile {
        rate: Rate::new(1, 3_600_000_000_000, 1, Rate::FINE),
        v4_mask: u32::MAX,
        v6_mask: u64::MAX,
        reason: Reason::THROTTLE.0,
        ..Profile::default()
    }
}

/// A host with these verdicts around [`V6`], and a throttle that lets one packet through.
fn host(verdicts: &[(Width, ClientVerdict)]) -> Memory {
    let config = HostConfig { mode: HostConfig::ENFORCE, ..HostConfig::default() };
    let mut memory = Memory::new(config, NOW_NS);
    memory.limits.profiles.insert(THROTTLE_PROFILE, throttle());
    memory.verdicts.extend(verdicts.iter().map(|(width, verdict)| (width.key(&v6()), *verdict)));
    memory
}

/// What becomes of the second packet of [`V6`].
fn second(memory: &Memory) -> (Verdict, Reason) {
    let frame = Packet::v6(V6, [1; 16]).udp((1, 2), b"?").build();
    memory.run(&frame);
    let decision = memory.run(&frame);
    (decision.verdict, decision.reason)
}

const BLOCKED: (Verdict, Reason) = (Verdict::DROP, Reason::CLIENT_VERDICT);
const THROTTLED: (Verdict, Reason) = (Verdict::DROP, Reason::THROTTLE);
const PASSED: (Verdict, Reason) = (Verdict::PASS, Reason::NO_RULE);

#[test]
fn a_verdict_of_each_width_is_found() {
    for width in [Width::HOST, Width::V6_64, Width::V6_56, Width::V6_48] {
        let memory = host(&[(width, verdict(ClientVerdict::BLOCK, Mode::ENFORCE))]);
        assert_eq!(second(&memory), BLOCKED, "{width:?}");
    }
    let mut memory = host(&[]);
    let around = Width::V4_24.key(&Address::v4(u32::from_be_bytes(V4)));
    memory.verdicts.insert(around, verdict(ClientVerdict::BLOCK, Mode::ENFORCE));
    let from = |source| memory.run(&Packet::v4(source, [1; 4]).udp((1, 2), b"?").build()).reason;
    assert_eq!(from(V4), Reason::CLIENT_VERDICT);
    assert_eq!(from([192, 0, 2, 0]), Reason::CLIENT_VERDICT);
    assert_eq!(from([192, 0, 3, 77]), Reason::NO_RULE);
}

#[test]
fn a_block_comes_before_a_throttle_whichever_is_wider() {
    let block = verdict(ClientVerdict::BLOCK, Mode::ENFORCE);
    let throttle = verdict(ClientVerdict::THROTTLE, Mode::ENFORCE);
    assert_eq!(second(&host(&[(Width::HOST, throttle), (Width::V6_48, block)])), BLOCKED);
    assert_eq!(second(&host(&[(Width::HOST, block), (Width::V6_48, throttle)])), BLOCKED);
}

#[test]
fn one_that_acts_comes_before_one_in_shadow_whichever_is_wider() {
    for action in [ClientVerdict::BLOCK, ClientVerdict::THROTTLE] {
        let (on, off) = (verdict(action, Mode::ENFORCE), verdict(action, Mode::SHADOW));
        let dropped = if action == ClientVerdict::BLOCK { BLOCKED } else { THROTTLED };
        assert_eq!(second(&host(&[(Width::HOST, off), (Width::V6_56, on)])), dropped);
        assert_eq!(second(&host(&[(Width::V6_64, on), (Width::V6_56, off)])), dropped);
    }
}

#[test]
fn a_block_in_shadow_does_not_lift_a_throttle() {
    let block = verdict(ClientVerdict::BLOCK, Mode::SHADOW);
    let throttle = verdict(ClientVerdict::THROTTLE, Mode::ENFORCE);
    assert_eq!(second(&host(&[(Width::HOST, block), (Width::V6_64, throttle)])), THROTTLED);
}

#[test]
fn a_narrow_one_that_has_ended_or_is_unknown_does_not_hide_a_wide_one() {
    let block = verdict(ClientVerdict::BLOCK, Mode::ENFORCE);
    let hiding = [ended(ClientVerdict::THROTTLE), verdict(3, Mode::ENFORCE), verdict(0, Mode(0))];
    for narrow in hiding {
        assert_eq!(second(&host(&[(Width::HOST, narrow), (Width::V6_48, block)])), BLOCKED);
        assert_eq!(second(&host(&[(Width::HOST, narrow)])), PASSED);
    }
}

#[test]
fn the_clock_is_read_when_a_verdict_was_found_and_not_before() {
    let block = verdict(ClientVerdict::THROTTLE, Mode::SHADOW);
    let mut memory = host(&[]);
    memory.limits.profiles.clear();
    second(&memory);
    assert_eq!(memory.clock_reads(), 0);
    memory.verdicts.extend([Width::HOST, Width::V6_64].map(|width| (width.key(&v6()), block)));
    second(&memory);
    assert_eq!(memory.clock_reads(), 2, "once for each packet");
}

#[test]
fn an_empty_bucket_and_an_unused_width_cost_no_look_up() {
    let block = verdict(ClientVerdict::BLOCK, Mode::SHADOW);
    let memory = host(&[(Width::V6_48, block)]);
    second(&memory);
    assert_eq!(memory.look_ups(), 2, "one for each packet");
    memory.run(&Packet::v4(V4, [1; 4]).udp((1, 2), b"?").build());
    assert_eq!(memory.look_ups(), 2);
}

#[test]
fn meters_stay_those_of_the_client() {
    let memory = host(&[(Width::V6_48, verdict(ClientVerdict::THROTTLE, Mode::ENFORCE))]);
    let mut neighbour = V6;
    neighbour[7] = 4;
    assert_eq!(second(&memory), THROTTLED);
    let other = memory.run(&Packet::v6(neighbour, [1; 16]).udp((1, 2), b"?").build());
    assert_eq!((other.verdict, other.reason), PASSED);
    let place = key::place(&[0; 2], &throttle(), THROTTLE_PROFILE, &v6(), 0);
    let meters = memory.limits.meters(place.set).unwrap();
    assert_eq!(meters.tag(0).load(), place.tag);
    assert_ne!(meters.word(0).load(), 0);
}

#[test]
fn all_that_holds_an_address_falls_into_its_bucket() {
    for address in [Address::v4(u32::from_be_bytes(V4)), v6(), Address { high: 0, low: 5 }] {
        let of = |key: VerdictKey| bucket(0x1234, &key.address());
        let widths = Width::ALL.into_iter();
        let own = widths.filter(|width| width.bit & Width::bits_of(&address) != 0);
        let buckets: Vec<_> = own.map(|width| of(width.key(&address))).collect();
        assert!(buckets.iter().all(|found| *found == bucket(0x1234, &address)), "{buckets:?}");
    }
}

#[test]
fn neighbours_and_keys_fall_into_other_buckets() {
    let of = |secret, i: u32| bucket(secret, &Address::v4(i << 8));
    for secret in [0, 1, 0x0123_4567_89ab_cdef] {
        let mut buckets: Vec<_> = (0..10_000).map(|i| of(secret, i)).collect();
        buckets.sort_unstable();
        buckets.dedup();
        assert!(buckets.len() > 9_500, "{} buckets for 10,000 neighbours", buckets.len());
    }
    assert_ne!(of(1, 7), of(2, 7));
}

/// Few addresses, so that verdicts meet: IPv4, IPv6, and IPv6 that looks like IPv4.
fn address() -> impl Strategy<Value = Address> {
    let v4 =
        (0_u32..4, 0_u32..3).prop_map(|(net, host)| Address::v4(0xc000_0000 | net << 8 | host));
    let high = [0, 0x2001_0db8_0001_0000, 0x2001_0db8_0001_0001, 0x2001_0db8_0001_0100];
    let v6 = (prop::sample::select(high.to_vec()), 0_u64..3);
    prop_oneof![v4, v6.prop_map(|(high, low)| Address { high, low })]
}

fn any_verdict() -> impl Strategy<Value = ClientVerdict> {
    (NOW_NS - 1..NOW_NS + 3, 0_u8..4, 0_u8..3).prop_map(|(expires_ns, action, mode)| {
        ClientVerdict { expires_ns, action, mode, ..ClientVerdict::default() }
    })
}

fn mask_of(len: u64) -> u128 {
    u128::MAX << (128 - len)
}

fn bits(address: &Address) -> u128 {
    u128::from(address.high) << 64 | u128::from(address.low)
}

/// What the verdicts say of an address, without index, keys or order.
fn naive(verdicts: &[(VerdictKey, ClientVerdict)], address: &Address) -> [bool; 4] {
    let holds = |key: &VerdictKey| {
        let same_family = key.address().is_v4() == address.is_v4();
        same_family && bits(address) & mask_of(key.len) == bits(&key.address())
    };
    let any = |action, shadow| {
        verdicts.iter().any(|(key, verdict)| {
            holds(key)
                && verdict.expires_ns > NOW_NS
                && verdict.action == action
                && (Mode(verdict.mode) == Mode::SHADOW) == shadow
        })
    };
    let [block, throttle] = [ClientVerdict::BLOCK, ClientVerdict::THROTTLE];
    [any(block, false), any(block, true), any(throttle, false), any(throttle, true)]
}

proptest! {
    #[test]
    fn look_ups_by_index_say_what_all_verdicts_together_say(
        rows in prop::collection::vec((address(), 0_usize..5, any_verdict()), 0..12),
        asked in address(),
        secret in any::<u64>(),
    ) {
        let config = HostConfig { secret, ..HostConfig::default() };
        let mut memory = Memory::new(config, NOW_NS);
        for (address, width, verdict) in rows {
            let width = Width::ALL[width];
            if width.bit & Width::bits_of(&address) != 0 {
                memory.verdicts.insert(width.key(&address), verdict);
            }
        }
        let tables = &memory;
        let found = standing(&tables, secret, &asked, &mut Clock::new(&tables));
        let all: Vec<_> = memory.verdicts.iter().map(|(key, verdict)| (*key, *verdict)).collect();
        let [block, block_shadow, throttle, throttle_shadow] = naive(&all, &asked);
        prop_assert_eq!(found.blocks(), block);
        prop_assert_eq!(found.is_blocked(), block || block_shadow);
        prop_assert_eq!(found.is_throttled(), !block && (throttle || throttle_shadow));
        if !block {
            prop_assert_eq!(found.block_mode(), Mode::SHADOW.0);
            prop_assert_eq!(found.throttles(), throttle);
        }
    }
}
