use super::*;
use crate::abi::address::ListId;
use crate::abi::client::ClientVerdict;
use crate::abi::counter::{Reason, Verdict};
use crate::abi::limit::ProfileCounters;
use crate::abi::{Mode, limit};
use crate::gcra::Rate;
use crate::packet::{ACK, Packet as Builder, Segment, hello};
use crate::wire::cursor::SlicePacket;
use crate::wire::frame;
use memory::LimitMemory;

mod guard;
mod list;
mod order;
mod refusal;

pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const NOW_NS: u64 = 1_000_000 * SECOND;
const SECRETS: key::Secrets = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210];

/// `burst` packets at once and then one an hour, of each client.
pub(super) fn packets(burst: u64) -> Profile {
    Profile {
        rate: Rate::new(1, 3600 * SECOND, burst, Rate::FINE),
        v4_mask: u32::MAX,
        v6_mask: u64::MAX,
        unit: Profile::PACKETS,
        reason: Reason::PACKET_LIMIT.0,
        ..Profile::default()
    }
}

fn connections(burst: u64) -> Profile {
    let (unit, reason) = (Profile::CONNECTIONS, Reason::CONNECTION_LIMIT.0);
    Profile { unit, reason, ..packets(burst) }
}

/// Of everybody together.
fn together(burst: u64) -> Profile {
    Profile { key: Profile::TOGETHER, reason: Reason::SERVICE_LIMIT.0, ..packets(burst) }
}

/// A host with these profiles by number, and the same plan for all services.
pub(super) fn memory(profiles: &[(u32, Profile)], plan: &[u64]) -> LimitMemory {
    let mut memory = LimitMemory::default();
    memory.secrets = SECRETS;
    memory.now_ns.set(NOW_NS);
    memory.profiles.extend(profiles.iter().copied());
    memory.plan = steps(plan);
    memory
}

fn steps(steps: &[u64]) -> Plan {
    steps.iter().rev().copied().fold(Plan::default(), Plan::after)
}

pub(super) fn client(last: u8) -> Builder {
    Builder::v4([192, 0, 2, last], [198, 51, 100, 7])
}

pub(super) fn parsed(packet: &Builder) -> Frame {
    let mut frame = Frame::default();
    frame::parse(&SlicePacket::new(&packet.build()), &mut frame);
    frame
}

fn syn() -> Frame {
    parsed(&client(1).tcp(Segment::syn((40_000, 443), 7)))
}

fn data() -> Frame {
    parsed(&client(1).tcp(Segment::data((40_000, 443), 7, b"data")))
}

fn throttled(mode: Mode) -> Standing {
    let action = ClientVerdict::THROTTLE;
    Standing::of(&ClientVerdict { action, mode: mode.0, ..ClientVerdict::default() })
}

/// A frame after its limits: what refused it, what would have, and what follows.
fn checked(memory: &LimitMemory, standing: Standing, frame: &Frame) -> Frame {
    let mut frame = *frame;
    check(memory, standing, &mut frame);
    frame
}

/// Why a client is refused now, or [`Reason::NO_RULE`].
pub(super) fn refused(memory: &LimitMemory, frame: &Frame) -> Reason {
    checked(memory, Standing::default(), frame).refused
}

/// Packets of this kind that pass before one is refused.
fn passing(memory: &LimitMemory, frame: &Frame) -> usize {
    (0..100).take_while(|_| refused(memory, frame) == Reason::NO_RULE).count()
}

/// Packets that were charged, refused, and would have been.
fn counts(counters: &ProfileCounters) -> [u64; 3] {
    [counters.passed, counters.refused, counters.would_refuse].map(|count| count.packets)
}

#[test]
fn a_plan_knows_what_it_charges() {
    let plan = steps(&[Plan::LOOK | 9, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 63]);
    for number in [2, 8, 10, 14, 63] {
        assert!(plan.charges(number));
    }
    for number in [1, 9, 15, 62] {
        assert!(!plan.charges(number));
    }
    assert!(!Plan::default().charges(1));
}

#[test]
fn what_a_profile_does_not_count_costs_it_nothing() {
    let handshakes = Profile { unit: Profile::HANDSHAKES, ..packets(1) };
    let bytes = Profile { unit: Profile::BYTES, rate: Rate::new(1, SECOND, 150, 0), ..packets(1) };
    let rows = [(2, connections(1)), (3, handshakes), (4, bytes)];
    let memory = memory(&rows, &[2, 3, 4]);
    let hello = hello(200);
    let mut greeting = parsed(&client(2).tcp(Segment::data((40_000, 443), 8, &hello)));
    greeting.hello.len = 9;
    let passed = |number| counts(&memory.counters(number))[0];
    refused(&memory, &data());
    assert_eq!([2, 3, 4].map(passed), [0, 0, 1]);
    refused(&memory, &syn());
    assert_eq!([2, 3, 4].map(passed), [1, 0, 2]);
    refused(&memory, &greeting);
    assert_eq!([2, 3, 4].map(passed), [1, 1, 3]);
    let answer = Segment { flags: crate::packet::SYN_ACK, ..Segment::syn((443, 40_000), 7) };
    refused(&memory, &parsed(&client(3).tcp(answer)));
    refused(&memory, &parsed(&client(4).udp((5000, 53), b"?")));
    assert_eq!([2, 3, 4].map(passed), [1, 1, 5]);
}

#[test]
fn bytes_are_those_of_the_whole_frame() {
    let bytes = Profile { unit: Profile::BYTES, rate: Rate::new(1, SECOND, 600, 0), ..packets(1) };
    let memory = memory(&[(2, bytes)], &[2]);
    let packet = client(1).tcp(Segment { flags: ACK, ..Segment::data((1, 2), 3, &[0; 46]) });
    assert_eq!(parsed(&packet).bytes, 100);
    assert_eq!(passing(&memory, &parsed(&packet)), 6);
}

#[test]
fn services_have_plans_of_their_own() {
    let mut memory = memory(&[(2, packets(2)), (3, packets(5))], &[]);
    memory.plans.insert(443, steps(&[2]));
    memory.plans.insert(limit::UDP_PORTS + 53, steps(&[3]));
    let to_port = |ports| parsed(&client(1).udp(ports, b"?"));
    assert_eq!(passing(&memory, &data()), 2);
    assert_eq!(passing(&memory, &to_port((5000, 53))), 5);
    assert_eq!(passing(&memory, &to_port((5000, 443))), 100);
}

#[test]
fn a_profile_that_is_gone_limits_nothing() {
    for profiles in [&[][..], &[(2, Profile::default())]] {
        let memory = memory(profiles, &[Plan::LOOK | 2, 2]);
        assert_eq!(passing(&memory, &data()), 100);
    }
}

#[test]
fn the_precise_clock_is_read_once_and_the_coarse_one_instead_where_it_does() {
    let coarse = Profile { flags: Profile::COARSE, ..packets(9) };
    let mut memory = memory(&[(2, packets(9)), (3, packets(9)), (4, coarse)], &[2, 3, 4]);
    refused(&memory, &data());
    assert_eq!(memory.clock_reads.take(), 1);
    memory.plan = steps(&[4]);
    refused(&memory, &data());
    assert_eq!(memory.clock_reads.take(), 0);
}
