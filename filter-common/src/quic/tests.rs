use super::*;
use crate::abi::counter::{Reason, Verdict};
use crate::abi::quic::DatagramBudget;
use crate::decide::Decision;
use crate::decide::tests::memory::Memory;
use crate::packet::{Packet as Builder, Segment, proto};
use std::vec;
use std::vec::Vec;

const CLIENT: [u8; 4] = [192, 0, 2, 1];
const SECOND_NS: u64 = 1_000_000_000;

/// The start of a packet with a long header, and zeroes up to `len` bytes.
fn long(first: u8, version: u32, name_len: u8, len: usize) -> Vec<u8> {
    let mut payload = vec![first];
    payload.extend(version.to_be_bytes());
    payload.push(name_len);
    payload.resize(len, 0);
    payload
}

fn initial() -> Vec<u8> {
    long(0xc3, V1, 8, 1200)
}

fn from(source: [u8; 4]) -> Builder {
    Builder::v4(source, [198, 51, 100, 7])
}

fn client() -> Builder {
    from(CLIENT)
}

fn v6(subnet: u8, host: u8) -> Builder {
    let mut source = [0; 16];
    source[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    (source[7], source[15]) = (subnet, host);
    Builder::v6(source, [0xfd; 16])
}

fn memory(per_sec: u32) -> Memory {
    let config = HostConfig {
        mode: HostConfig::ENFORCE,
        quic_ports: [443, 8443, 0, 0],
        secret: 0x0123_4567_89ab_cdef,
        ..HostConfig::default()
    };
    let mut memory = Memory::new(config, SECOND_NS);
    memory.datagrams.set_budget(DatagramBudget::new(per_sec));
    memory.datagrams.now_ns.set(SECOND_NS);
    memory
}

/// Whether a frame is copied to the daemon.
fn is_copied(frame: &[u8]) -> bool {
    let memory = memory(1000);
    let decision = memory.run(frame);
    assert_eq!(decision.verdict, Verdict::PASS);
    memory.datagrams.counts() == [1, 0, 0]
}

#[test]
fn clients_initial_packets_are_selected_by_their_first_bytes() {
    let rows = [
        ("version 1", long(0xc0, V1, 8, 1200), true),
        ("protected bits", long(0xcf, V1, 8, 1200), true),
        ("the longest name", long(0xc0, V1, 20, 1200), true),
        ("a greased bit", long(0x80, V1, 8, 1200), true),
        ("version 2", long(0xd0, V2, 8, 1200), true),
        ("as long as may be", long(0xc0, V1, 8, 1472), true),
        ("too short", long(0xc0, V1, 8, 1199), false),
        ("a name too short", long(0xc0, V1, 7, 1200), false),
        ("a name too long", long(0xc0, V1, 21, 1200), false),
        ("no name", long(0xc0, V1, 0, 1200), false),
        ("a short header", long(0x40, V1, 8, 1200), false),
        ("0-RTT", long(0xd0, V1, 8, 1200), false),
        ("a handshake packet", long(0xe0, V1, 8, 1200), false),
        ("a Retry", long(0xf0, V1, 8, 1200), false),
        ("a Retry of version 2", long(0xc0, V2, 8, 1200), false),
        ("0-RTT of version 2", long(0xe0, V2, 8, 1200), false),
        ("version negotiation", long(0xc0, 0, 8, 1200), false),
        ("a draft", long(0xc0, 0xff00_001d, 8, 1200), false),
        ("a greased version", long(0xc0, 0x1a2a_3a4a, 8, 1200), false),
        ("a version in the other order", long(0xc0, V1.swap_bytes(), 8, 1200), false),
        ("zeroes", vec![0; 1200], false),
        ("ones", vec![0xff; 1200], false),
    ];
    for (name, payload, is_selected) in rows {
        let frame = client().udp((50_000, 443), &payload).build();
        assert_eq!(is_copied(&frame), is_selected, "{name}");
    }
}

#[test]
fn only_datagrams_for_the_ports_that_are_named_are_looked_at() {
    for (port, is_selected) in [(443, true), (8443, true), (53, false), (0, false), (444, false)] {
        let frame = client().udp((443, port), &initial()).build();
        assert_eq!(is_copied(&frame), is_selected, "{port}");
    }
    let mut off = memory(1000);
    off.config.quic_ports = [0; QUIC_PORTS];
    off.run(&client().udp((443, 443), &initial()).build());
    assert_eq!(off.datagrams.counts(), [0; 3]);
}

#[test]
fn whatever_is_wrapped_around_them() {
    let udp = |packet: Builder| packet.udp((50_000, 443), &initial());
    let rows = [
        ("IPv6", udp(v6(1, 1)), true),
        ("a tag", udp(client().vlan(proto::VLAN)), true),
        ("options", udp(client().options(3)), true),
        ("an extension", udp(v6(1, 1).extension(proto::DESTINATION, 1)), true),
        ("padding", udp(client()).padding(9), true),
        ("an atomic fragment", udp(v6(1, 1).fragment(0, false)), true),
        ("a first fragment", udp(client().fragment(0, true)), false),
        ("a later fragment", udp(client().fragment(3, true)), false),
        ("a first fragment of IPv6", udp(v6(1, 1).fragment(0, true)), false),
        ("TCP", client().tcp(Segment::data((50_000, 443), 1, &initial())), false),
    ];
    for (name, packet, is_selected) in rows {
        assert_eq!(is_copied(&packet.build()), is_selected, "{name}");
    }
}

#[test]
fn no_prefix_of_one_is_selected() {
    let frame = client().udp((50_000, 443), &initial()).build();
    assert!(is_copied(&frame));
    for len in 0..frame.len() {
        assert!(!is_copied(&frame[..len]), "{len}");
    }
}

#[test]
fn the_copy_is_the_datagram_from_its_header_on() {
    let memory = memory(1000);
    let payload = initial();
    memory.run(&client().vlan(proto::VLAN).udp((50_000, 443), &payload).padding(7).build());
    let told = memory.datagrams.told.take();
    let [(record, bytes)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((record.source_port, record.destination_port), (50_000, 443));
    assert_eq!((record.len, record.copied), (1208, 1208));
    assert_eq!((bytes.len(), &bytes[8..]), (1208, payload.as_slice()));
    assert_eq!(record.source, Address::v4(u32::from_be_bytes(CLIENT)));
}

#[test]
fn of_a_long_datagram_there_is_the_start() {
    let memory = memory(1000);
    memory.run(&client().udp((50_000, 443), &long(0xc0, V1, 8, 9000)).build());
    let told = memory.datagrams.told.take();
    assert_eq!((told[0].0.len, told[0].0.copied, told[0].1.len()), (9008, 4096, 4096));
}

/// How many of these datagrams are copied, over budget, and lost, at one moment.
fn counted(memory: &Memory, frames: impl Iterator<Item = Vec<u8>>) -> [u64; 3] {
    let before = memory.datagrams.counts();
    for frame in frames {
        assert_eq!(memory.run(&frame).verdict, Verdict::PASS, "a budget never drops");
    }
    let after = memory.datagrams.counts();
    core::array::from_fn(|i| after[i] - before[i])
}

fn flood(count: u16) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|port| client().udp((port, 443), &initial()).build())
}

/// A source each.
fn crowd(count: u32) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|number| {
        let [.., a, b, c] = (number + 7).to_be_bytes();
        from([10, a, b, c]).udp((5000, 443), &initial()).build()
    })
}

#[test]
fn one_source_gets_its_share_and_leaves_the_rest() {
    let memory = memory(4000);
    let [copied, over, lost] = counted(&memory, flood(5000));
    assert!((62..=64).contains(&copied), "{copied}");
    assert_eq!((copied + over, lost), (5000, 0));
    // Of 256 others, those whose share is another.
    let [others, ..] = counted(&memory, crowd(256));
    assert!((250..=256).contains(&others), "{others}");
    memory.datagrams.now_ns.set(2 * SECOND_NS);
    let [later, ..] = counted(&memory, flood(5000));
    assert_eq!(later, copied);
}

#[test]
fn all_together_get_the_budget_and_no_more() {
    let memory = memory(4000);
    let [copied, over, _] = counted(&memory, crowd(20_000));
    assert!((1000..=1002).contains(&copied), "{copied}");
    assert_eq!(copied + over, 20_000);
    // A quarter of a second later as much is there again.
    memory.datagrams.now_ns.set(SECOND_NS + SECOND_NS / 4);
    let [again, ..] = counted(&memory, crowd(20_000));
    assert!((999..=1002).contains(&again), "{again}");
}

#[test]
fn an_ipv6_client_has_one_share_for_its_64() {
    let memory = memory(4000);
    let hosts = (0..200).map(|host| v6(1, host).udp((5000, 443), &initial()).build());
    let [copied, ..] = counted(&memory, hosts);
    assert!((62..=64).contains(&copied), "{copied}");
    let subnets = (2..200).map(|subnet| v6(subnet, 1).udp((5000, 443), &initial()).build());
    let [copied, ..] = counted(&memory, subnets);
    assert!(copied >= 190, "{copied}");
}

#[test]
fn without_a_budget_nothing_is_copied_and_each_is_counted() {
    let mut memory = memory(1000);
    memory.datagrams.set_budget(DatagramBudget::default());
    assert_eq!(counted(&memory, flood(5)), [0, 5, 0]);
}

#[test]
fn a_full_buffer_is_counted_as_such() {
    let memory = memory(1000);
    memory.datagrams.is_full.set(true);
    assert_eq!(counted(&memory, flood(5)), [0, 0, 5]);
}

#[test]
fn a_word_that_can_not_be_is_mended() {
    let mut memory = memory(4000);
    let budget =
        DatagramBudget { all: 1 << 60, shares: [1 << 60; 256], ..DatagramBudget::new(4000) };
    memory.datagrams.set_budget(budget);
    assert_eq!(counted(&memory, flood(3)), [0, 3, 0]);
    memory.datagrams.now_ns.set(3 * SECOND_NS);
    let [copied, ..] = counted(&memory, flood(3));
    assert_eq!(copied, 3);
}

#[test]
fn what_a_check_before_refuses_costs_no_budget() {
    let mut memory = memory(1000);
    memory.class = crate::abi::address::AddressClass::new(
        (crate::abi::address::AddressClass::BLOCK, crate::abi::address::ListId(7)),
        (crate::abi::address::AddressClass::NONE, crate::abi::address::ListId::NONE),
    );
    let frame = flood(1).next().unwrap();
    let dropped = Decision { verdict: Verdict::DROP, reason: Reason::BLOCKLIST };
    assert_eq!(memory.run(&frame), dropped);
    assert_eq!(memory.datagrams.counts(), [0; 3]);
}

/// Which share a client falls on is the host's secret.
#[test]
fn shares_differ_between_hosts_and_spread() {
    let sources = (0..2048).map(|number| Address::v4(0x0a00_0000 + number));
    let shares: Vec<u32> = sources.clone().map(|source| share_of(1, &source)).collect();
    let others: Vec<u32> = sources.map(|source| share_of(2, &source)).collect();
    let alike = shares.iter().zip(&others).filter(|(one, other)| one == other).count();
    assert!(alike < 40, "{alike}");
    let mut used = shares;
    used.sort_unstable();
    used.dedup();
    assert!(used.len() > 230 && *used.last().unwrap() < BUDGET_SHARES, "{}", used.len());
}
