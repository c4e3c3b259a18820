use super::*;
use crate::abi::address::ListId;
use crate::abi::limit::{Plan, Profile, THROTTLE_PROFILE};
use crate::gcra::Rate;
use crate::packet::{ACK, Packet as Builder, Segment};
use memory::Memory;
use std::vec::Vec;

mod list;
pub(crate) mod memory;

const PASSED: Decision = Decision::pass(Reason::NO_RULE);
const NOW_NS: u64 = 1_000_000_000;

fn client() -> Builder {
    Builder::v4([192, 0, 2, 1], [198, 51, 100, 7])
}

fn datagram() -> Vec<u8> {
    client().udp((5000, 53), b"?").build()
}

fn syn() -> Vec<u8> {
    client().tcp(Segment::syn((40_000, 443), 7)).build()
}

fn class(action: u8, mode: Mode) -> AddressClass {
    let answer = (action, ListId(7));
    if mode == Mode::SHADOW {
        AddressClass::new((AddressClass::NONE, ListId::NONE), answer)
    } else {
        AddressClass::new(answer, (AddressClass::NONE, ListId::NONE))
    }
}

fn verdict(action: u8, mode: Mode) -> ClientVerdict {
    let expires_ns = NOW_NS + 1;
    ClientVerdict { expires_ns, action, mode: mode.0, ..ClientVerdict::default() }
}

/// Numbers of limits.
const THROTTLE: u32 = THROTTLE_PROFILE;
const PACKETS: u32 = 2;
const CONNECTIONS: u32 = 3;
const LISTED: u32 = 4;

/// A client's limit: so many at once, and then one an hour.
fn few(number: u32, burst: u64, mode: Mode) -> (u32, Profile) {
    let (unit, reason) = match number {
        THROTTLE => (Profile::PACKETS, Reason::THROTTLE),
        CONNECTIONS => (Profile::CONNECTIONS, Reason::CONNECTION_LIMIT),
        _ => (Profile::PACKETS, Reason::PACKET_LIMIT),
    };
    let profile = Profile {
        rate: Rate::new(1, 3_600_000_000_000, burst, Rate::FINE),
        v4_mask: u32::MAX,
        v6_mask: u64::MAX,
        unit,
        action: if mode == Mode::SHADOW { Profile::SHADOW } else { Profile::DROP },
        reason: reason.0,
        ..Profile::default()
    };
    (number, profile)
}

fn one(number: u32, mode: Mode) -> (u32, Profile) {
    few(number, 1, mode)
}

fn enforcing() -> Memory {
    let config = HostConfig { mode: HostConfig::ENFORCE, ..HostConfig::default() };
    Memory::new(config, NOW_NS)
}

/// One limit, which is that of every service unless it is the throttle.
fn limited(number: u32, mode: Mode) -> Memory {
    let mut memory = enforcing();
    memory.charge(&[one(number, mode)]);
    if number == THROTTLE {
        memory.limits.plan = Plan::default();
    }
    memory
}

/// Everything that can refuse a packet does, from its second SYN on; the modes say which
/// of them act. The first SYN has gone by.
fn all_refusing(block: Mode, client: Mode, limits: Mode) -> Memory {
    let mut memory = enforcing();
    memory.limits.profiles.extend([one(THROTTLE, limits)]);
    memory.charge(&[one(PACKETS, limits), one(CONNECTIONS, limits)]);
    memory.verdict = verdict(ClientVerdict::THROTTLE, Mode::ENFORCE);
    assert_eq!(memory.run(&syn()), PASSED);
    memory.class = class(AddressClass::BLOCK, block);
    memory.verdict = verdict(ClientVerdict::BLOCK, client);
    memory
}

fn would_drop(reason: Reason) -> Decision {
    Decision { verdict: Verdict::WOULD_DROP, reason }
}

#[test]
fn allow_wins_over_everything_and_ends_the_walk() {
    let mut memory = all_refusing(Mode::ENFORCE, Mode::ENFORCE, Mode::ENFORCE);
    memory.class = class(AddressClass::ALLOW, Mode::ENFORCE);
    assert_eq!(memory.run(&syn()), Decision::pass(Reason::ALLOWED));
    let hello = crate::packet::hello(200);
    memory.run(&client().tcp(Segment::data((40_000, 443), 8, &hello)).build());
    assert!(memory.recorded().is_empty());
}

#[test]
fn a_block_entry_drops() {
    let mut memory = enforcing();
    memory.class = class(AddressClass::BLOCK, Mode::ENFORCE);
    assert_eq!(memory.run(&datagram()), Decision::drop(Reason::BLOCKLIST));
}

#[test]
fn a_verdict_that_nobody_knows_is_no_rule() {
    let mut memory = enforcing();
    memory.verdict = verdict(77, Mode::ENFORCE);
    assert_eq!(memory.run(&datagram()), PASSED);
}

#[test]
fn a_verdict_ends_at_its_very_nanosecond() {
    let mut memory = enforcing();
    memory.verdict = verdict(ClientVerdict::BLOCK, Mode::ENFORCE);
    assert_eq!(memory.run(&datagram()), Decision::drop(Reason::CLIENT_VERDICT));
    memory.advance(1);
    assert_eq!(memory.run(&datagram()), PASSED);
}

#[test]
fn a_throttled_client_gets_the_throttle_limit_while_it_lasts() {
    let mut memory = limited(THROTTLE, Mode::ENFORCE);
    memory.verdict = verdict(ClientVerdict::THROTTLE, Mode::ENFORCE);
    assert_eq!(memory.run(&datagram()), PASSED);
    assert_eq!(memory.run(&datagram()), Decision::drop(Reason::THROTTLE));
    memory.advance(1);
    assert_eq!(memory.run(&datagram()), PASSED);
}

#[test]
fn without_a_throttle_limit_a_throttled_client_passes() {
    let mut memory = enforcing();
    memory.verdict = verdict(ClientVerdict::THROTTLE, Mode::ENFORCE);
    assert_eq!([memory.run(&datagram()), memory.run(&datagram())], [PASSED; 2]);
}

#[test]
fn a_client_that_nobody_throttled_has_no_throttle_limit() {
    let memory = limited(THROTTLE, Mode::ENFORCE);
    assert_eq!([memory.run(&datagram()), memory.run(&datagram())], [PASSED; 2]);
}

#[test]
fn the_packet_limit_counts_packets_of_each_client_apart() {
    let memory = limited(PACKETS, Mode::ENFORCE);
    assert_eq!(memory.run(&datagram()), PASSED);
    assert_eq!(memory.run(&datagram()), Decision::drop(Reason::PACKET_LIMIT));
    let other = Builder::v4([192, 0, 2, 2], [198, 51, 100, 7]);
    assert_eq!(memory.run(&other.build()), PASSED);
}

#[test]
fn the_connection_limit_counts_nothing_but_new_connections() {
    let memory = limited(CONNECTIONS, Mode::ENFORCE);
    assert_eq!(memory.run(&syn()), PASSED);
    assert_eq!(memory.run(&syn()), Decision::drop(Reason::CONNECTION_LIMIT));
    let acknowledging = Segment { flags: ACK, ..Segment::syn((40_000, 443), 8) };
    assert_eq!(memory.run(&client().tcp(acknowledging).build()), PASSED);
    assert_eq!(memory.run(&datagram()), PASSED);
}

#[test]
fn rules_act_in_their_order() {
    let (on, off) = (Mode::ENFORCE, Mode::SHADOW);
    let dropped = |block, client, limits| all_refusing(block, client, limits).run(&syn());
    assert_eq!(dropped(on, on, on), Decision::drop(Reason::BLOCKLIST));
    assert_eq!(dropped(off, on, on), Decision::drop(Reason::CLIENT_VERDICT));
    assert_eq!(dropped(off, off, on), Decision::drop(Reason::PACKET_LIMIT));
    assert_eq!(dropped(off, off, off), would_drop(Reason::BLOCKLIST));
}

#[test]
fn a_throttle_in_shadow_leaves_the_packet_limit_in_force() {
    let mut memory = all_refusing(Mode::SHADOW, Mode::SHADOW, Mode::ENFORCE);
    memory.verdict = verdict(ClientVerdict::THROTTLE, Mode::SHADOW);
    assert_eq!(memory.run(&datagram()), Decision::drop(Reason::PACKET_LIMIT));
}

#[test]
fn a_packet_limit_in_shadow_leaves_the_connection_limit_in_force() {
    let mut memory = all_refusing(Mode::SHADOW, Mode::SHADOW, Mode::ENFORCE);
    memory.limits.profiles.extend([one(PACKETS, Mode::SHADOW)]);
    assert_eq!(memory.run(&syn()), Decision::drop(Reason::CONNECTION_LIMIT));
}

#[test]
fn each_rule_in_shadow_passes_and_is_counted() {
    let shadow = |number| limited(number, Mode::SHADOW);
    let mut blocked = enforcing();
    blocked.class = class(AddressClass::BLOCK, Mode::SHADOW);
    let mut convicted = enforcing();
    convicted.verdict = verdict(ClientVerdict::BLOCK, Mode::SHADOW);
    let mut throttled = shadow(THROTTLE);
    throttled.verdict = verdict(ClientVerdict::THROTTLE, Mode::SHADOW);
    let rows = [
        (blocked, Reason::BLOCKLIST),
        (convicted, Reason::CLIENT_VERDICT),
        (throttled, Reason::THROTTLE),
        (shadow(PACKETS), Reason::PACKET_LIMIT),
        (shadow(CONNECTIONS), Reason::CONNECTION_LIMIT),
    ];
    for (memory, reason) in rows {
        memory.run(&syn());
        assert_eq!(memory.run(&syn()), would_drop(reason));
    }
}

#[test]
fn monitor_drops_nothing_and_says_what_it_would() {
    let mut memory = all_refusing(Mode::ENFORCE, Mode::ENFORCE, Mode::ENFORCE);
    memory.config.mode = HostConfig::MONITOR;
    assert_eq!(memory.run(&syn()), would_drop(Reason::BLOCKLIST));
    memory.class = AddressClass::default();
    assert_eq!(memory.run(&syn()), would_drop(Reason::CLIENT_VERDICT));
    memory.verdict = ClientVerdict::default();
    assert_eq!(memory.run(&syn()), would_drop(Reason::PACKET_LIMIT));
}

#[test]
fn a_mode_that_nobody_knows_is_monitor() {
    let mut memory = all_refusing(Mode::ENFORCE, Mode::ENFORCE, Mode::ENFORCE);
    memory.config.mode = 2;
    assert_eq!(memory.run(&syn()), would_drop(Reason::BLOCKLIST));
}

#[test]
fn a_bad_header_behind_the_address_does_not_save_a_blocked_source() {
    let mut memory = enforcing();
    let mut bad = client().tcp(Segment::syn((40_000, 443), 7)).build();
    bad[46] = 0;
    assert_eq!(memory.run(&bad), Decision::pass(Reason::TRANSPORT_HEADER));
    memory.class = class(AddressClass::BLOCK, Mode::ENFORCE);
    assert_eq!(memory.run(&bad), Decision::drop(Reason::BLOCKLIST));
    memory.class = AddressClass::default();
    memory.verdict = verdict(ClientVerdict::BLOCK, Mode::ENFORCE);
    assert_eq!(memory.run(&bad), Decision::drop(Reason::CLIENT_VERDICT));
}

#[test]
fn what_has_no_address_passes_counted_by_cause() {
    let memory = all_refusing(Mode::ENFORCE, Mode::ENFORCE, Mode::ENFORCE);
    let tagged = client().vlan(0x8100).vlan(0x8100).vlan(0x8100).build();
    let mut arp = datagram();
    arp[13] = 6;
    let rows = [
        (tagged, Reason::VLAN_DEPTH),
        (arp, Reason::NOT_IP),
        (datagram()[..20].to_vec(), Reason::TRUNCATED),
    ];
    for (frame, reason) in rows {
        assert_eq!(memory.run(&frame), Decision::pass(reason));
    }
}

#[test]
fn neighbour_discovery_passes_even_from_a_blocked_source() {
    let memory = all_refusing(Mode::ENFORCE, Mode::ENFORCE, Mode::ENFORCE);
    let solicitation = Builder::v6([1; 16], [2; 16]).icmp(135, &[0; 20]).hop_limit(255);
    assert_eq!(memory.run(&solicitation.build()), Decision::pass(Reason::NEIGHBOUR));
}

#[test]
fn a_hello_that_a_shadow_rule_would_drop_is_recorded_and_a_dropped_one_is_not() {
    let hello = crate::packet::hello(200);
    let frame = client().tcp(Segment::data((40_000, 443), 8, &hello)).build();
    for (mode, recorded) in [(Mode::SHADOW, 1), (Mode::ENFORCE, 0)] {
        let mut memory = enforcing();
        memory.class = class(AddressClass::BLOCK, mode);
        memory.run(&frame);
        assert_eq!(memory.recorded().len(), recorded);
    }
}
