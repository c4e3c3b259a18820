use super::*;
use crate::abi::Mode;
use crate::abi::hello::{Cause, HELLO_TIMEOUT_NS};
use crate::abi::rule::{Rule, RuleKey};
use crate::decide::Decision;
use crate::decide::tests::memory::Memory;
use crate::hello::evidence::Expected;
use crate::packet::{ACK, Packet as Builder, Segment};
use std::vec;
use std::vec::Vec;

/// A server, and a client's connection to it. All flows share one slot.
struct Served {
    memory: Memory,
    /// The client's port.
    port: u16,
    /// Tells connections on it apart.
    server: u32,
}

const FIRST: u32 = u32::MAX - 700;
const TCP: usize = 14 + 20;

impl Served {
    /// Nothing of the stream has come yet.
    fn new() -> Self {
        let (mode, evidence) = (HostConfig::ENFORCE, HostConfig::SOCKET);
        let config = HostConfig { mode, evidence, ..HostConfig::default() };
        let served = Self { memory: Memory::new(config, 1 << 40), port: 40_000, server: 77 };
        served.memory.hellos.now_ns.set(1 << 40);
        served.has(0);
        served
    }

    /// A rule on whatever has this cause.
    fn with_rule(cause: Cause) -> Self {
        let mut served = Self::new();
        let key = RuleKey {
            kind: RuleKey::CAUSE,
            service: RuleKey::ANY_SERVICE,
            parts: RuleKey::cause(cause),
        };
        let mode = Mode::ENFORCE.0;
        let rule = Rule { expires_ns: u64::MAX, action: Rule::BLOCK, mode, ..Rule::default() };
        served.memory.hellos.rules.insert(key, rule);
        served.memory.config.rule_kinds = 1 << RuleKey::CAUSE;
        served
    }

    /// The socket has so many bytes of the stream.
    fn has(&self, count: u32) {
        let (next, server) = (FIRST.wrapping_add(count), self.server);
        let received = Received { next, first: FIRST, server };
        let expected = Expected { received, oldest: 0, sent: 0 };
        self.memory.hellos.expected.set(Some(expected));
    }

    fn pass(&self, ns: u64) {
        self.memory.advance(ns);
        self.memory.hellos.now_ns.set(self.memory.hellos.now_ns.get() + ns);
    }

    fn segment<'a>(&self, at: u32, payload: &'a [u8]) -> Segment<'a> {
        Segment::data((self.port, 443), FIRST.wrapping_add(at), payload)
    }

    fn send(&self, at: u32, payload: &[u8]) -> Decision {
        self.memory.run(&frame(self.segment(at, payload)))
    }

    /// The same with a checksum that the stack refuses.
    fn send_spoiled(&self, at: u32, payload: &[u8]) {
        let mut frame = frame(self.segment(at, payload));
        frame[TCP + 16] ^= 0x55;
        self.memory.run(&frame);
    }

    fn syn(&self, port: u16, sequence: u32) {
        self.memory.run(&frame(Segment::syn((port, 443), sequence)));
    }

    /// Why each hello that was told has no fingerprint, and how many bytes it has.
    fn told(&self) -> Vec<(Cause, u32)> {
        let told = self.memory.hellos.told.take();
        told.iter().map(|(record, _)| (record.cause, record.stream_len)).collect()
    }
}

fn frame(segment: Segment) -> Vec<u8> {
    Builder::v4([192, 0, 2, 1], [198, 51, 100, 7]).tcp(segment).build()
}

/// A hello that takes so many bytes.
fn hello(len: u16) -> Vec<u8> {
    let padding = len - 5 - 4 - 2 - 32 - 1 - 4 - 2 - 2 - 4;
    let mut bytes = vec![0x16, 3, 1];
    bytes.extend((len - 5).to_be_bytes());
    bytes.extend([1, 0]);
    bytes.extend((len - 9).to_be_bytes());
    bytes.extend([3, 3]);
    bytes.extend([9; 32]);
    bytes.extend([0, 0, 2, 0x13, 1, 1, 0]);
    bytes.extend((padding + 4).to_be_bytes());
    bytes.extend([0, 21]);
    bytes.extend(padding.to_be_bytes());
    bytes.resize(len.into(), 0);
    assert_eq!(bytes.len(), usize::from(len));
    bytes
}

const DROPPED: Decision = Decision { verdict: Verdict::DROP, reason: Reason::HELLO_RULE };
const ENDED: Decision = Decision { verdict: Verdict::DROP, reason: Reason::ENDED };

#[test]
fn a_hello_is_put_together_whatever_opened_its_connection() {
    for opened in [false, true] {
        for order in [[0, 1], [1, 0]] {
            let (served, bytes) = (Served::new(), hello(1900));
            if opened {
                served.syn(40_000, FIRST.wrapping_sub(1));
            }
            let parts = [(0, &bytes[..1400]), (1400, &bytes[1400..])];
            for index in order {
                let (at, payload) = parts[index];
                served.send(at, payload);
            }
            let expected: &[_] =
                if opened || order == [0, 1] { &[(Cause::NONE, 1900)] } else { &[] };
            assert_eq!(served.told(), expected, "opened: {opened}, {order:?}");
        }
    }
}

#[test]
fn nothing_that_a_client_sends_moves_its_unfinished_hello() {
    let decoys: [(&str, u32, &[u8]); 4] = [
        ("a byte that begins a hello, behind it", 3000, &[0x16]),
        ("another hello behind it", 2000, &hello(200)),
        ("something else behind it", 2000, b"GET /"),
        ("a hello in front of it", u32::MAX - 300, &hello(200)),
    ];
    for (decoy, at, payload) in decoys {
        let (served, bytes) = (Served::new(), hello(1900));
        served.send(0, &bytes[..1400]);
        served.has(1400);
        served.send(at, payload);
        served.send(1400, &bytes[1400..]);
        assert_eq!(served.told(), [(Cause::NONE, 1900)], "{decoy}");
    }
}

#[test]
fn what_the_stack_refuses_moves_nothing() {
    for (decoy, payload) in [("a hello", hello(60)), ("something else", b"GET / HTTP".to_vec())] {
        let (served, bytes) = (Served::new(), hello(1900));
        served.syn(40_000, FIRST.wrapping_sub(1));
        served.send_spoiled(0, &payload);
        served.send(0, &bytes[..1400]);
        served.send_spoiled(0, &payload);
        served.has(1400);
        served.send(1400, &bytes[1400..]);
        assert_eq!(served.told(), [(Cause::NONE, 1900)], "{decoy}");
    }
}

#[test]
fn another_connection_takes_no_slot_of_an_unfinished_hello() {
    let (mut served, bytes) = (Served::new(), hello(1900));
    served.send(0, &bytes[..1400]);
    served.syn(50_000, 7);
    for port in [50_000, 40_000] {
        served.port = port;
        served.has(0);
        served.send(0, &bytes[..1400]);
    }
    for port in [50_000, 40_000] {
        served.port = port;
        served.has(1400);
        served.send(1400, &bytes[1400..]);
    }
    assert_eq!(served.told(), [(Cause::NONE, 1900); 2]);
}

#[test]
fn what_a_server_has_and_nobody_saw_is_a_gap_at_once() {
    let (served, bytes) = (Served::with_rule(Cause::GAP), hello(1900));
    served.syn(40_000, FIRST.wrapping_sub(1));
    served.has(1400);
    assert_eq!(served.send(1400, &bytes[1400..]), DROPPED);
    assert_eq!(served.told(), [(Cause::GAP, 0)]);
}

#[test]
fn an_urgent_byte_is_a_cause() {
    let (served, bytes) = (Served::with_rule(Cause::URGENT), hello(300));
    let urgent = Segment { flags: ACK | 0x20, ..served.segment(0, &bytes) };
    assert_eq!(served.memory.run(&frame(urgent)), DROPPED);
    assert_eq!(served.told(), [(Cause::URGENT, 0)]);
}

#[test]
fn a_strange_version_hides_no_first_hello() {
    let served = Served::with_rule(Cause::MALFORMED);
    let mut bytes = vec![0x16, 3, 1, 0, 60, 1, 0, 1, 0, 9, 9];
    bytes.resize(65, 7);
    bytes.extend([0x17, 3, 3, 0, 9]);
    assert_eq!(served.send(0, &bytes), DROPPED);
    assert_eq!(served.told(), [(Cause::MALFORMED, 0)]);
}

#[test]
fn an_ended_connection_stays_that_as_long_as_its_server_waits() {
    let (served, bytes) = (Served::with_rule(Cause::GAP), hello(1900));
    served.syn(40_000, FIRST.wrapping_sub(1));
    served.has(1400);
    assert_eq!(served.send(1400, &bytes[1400..]), DROPPED);
    for _ in 0..3 {
        assert_eq!(served.send(1400, &bytes[1400..]), ENDED);
        served.pass(u64::from(SENTENCE + 1) << 30);
    }
    // The server has given up, and the ports are used again.
    served.memory.hellos.expected.set(None);
    let opening = frame(Segment::syn((40_000, 443), 9));
    assert_eq!(served.memory.run(&opening).verdict, Verdict::PASS);
}

#[test]
fn an_unfinished_hello_is_given_up_and_stays_it() {
    let (served, bytes) = (Served::with_rule(Cause::TIMED_OUT), hello(1900));
    served.send(0, &bytes[..1400]);
    served.has(1400);
    served.pass(HELLO_TIMEOUT_NS + 1);
    assert_eq!(served.send(1400, &bytes[1400..]), DROPPED);
}

#[test]
fn a_byte_that_is_urgent_behind_an_empty_segment_is_a_cause_too() {
    let (served, bytes) = (Served::with_rule(Cause::URGENT), hello(300));
    let urgent = Segment { flags: ACK | 0x20, ..served.segment(0, b"") };
    assert_eq!(served.memory.run(&frame(urgent)), DROPPED);
    let old = Segment { flags: ACK | 0x20, ..served.segment(u32::MAX, b"?") };
    assert_eq!(served.memory.run(&frame(old)).verdict, Verdict::DROP);
    assert_eq!(served.send(0, &bytes).verdict, Verdict::DROP, "it is ended");
    assert_eq!(served.told(), [(Cause::URGENT, 0)]);
}

#[test]
fn urgent_bytes_behind_the_hello_are_nobodys_business() {
    let (served, bytes) = (Served::with_rule(Cause::URGENT), hello(300));
    served.send(0, &bytes);
    served.has(300);
    let urgent = Segment { flags: ACK | 0x20, ..served.segment(300, b"data") };
    assert_eq!(served.memory.run(&frame(urgent)).verdict, Verdict::PASS);
    assert_eq!(served.told(), [(Cause::NONE, 300)]);
}

#[test]
fn the_same_numbers_on_the_same_ports_are_another_connection_by_the_servers_number() {
    let (mut served, bytes) = (Served::new(), hello(300));
    for server in [77, 78, 78] {
        served.server = server;
        served.has(0);
        served.send(0, &bytes);
    }
    assert_eq!(served.told(), [(Cause::NONE, 300); 2]);
}

#[test]
fn on_ports_that_were_used_a_hello_out_of_order_is_seen() {
    let (served, bytes) = (Served::new(), hello(1900));
    served.syn(40_000, FIRST.wrapping_sub(70_000));
    served.memory.hellos.expected.set(None);
    served.syn(40_000, FIRST.wrapping_sub(1));
    served.has(0);
    served.send(1400, &bytes[1400..]);
    // One that the socket of an open connection doesn't want moves nothing.
    served.syn(40_000, FIRST.wrapping_sub(70_000));
    served.send(0, &bytes[..1400]);
    assert_eq!(served.told(), [(Cause::NONE, 1900)]);
}

#[test]
fn what_servers_pass_over_in_front_of_a_hello_hides_none() {
    let fronts: [&[u8]; 4] =
        [&[0x16, 3, 1, 0, 0], &[0x15, 3, 1, 0, 2, 1, 90], &[0x14, 3, 3, 0, 1, 1], &[0x80, 46, 1]];
    for front in fronts {
        let served = Served::with_rule(Cause::MALFORMED);
        served.syn(40_000, FIRST.wrapping_sub(1));
        assert_eq!(served.send(0, &[front, &hello(300)].concat()), DROPPED, "{front:x?}");
    }
    let served = Served::with_rule(Cause::MALFORMED);
    served.syn(40_000, FIRST.wrapping_sub(1));
    assert_eq!(served.send(0, b"GET / HTTP/1.1").verdict, Verdict::PASS);
}

#[test]
fn data_in_a_reset_is_none() {
    let (served, bytes) = (Served::new(), hello(300));
    for flags in [ACK | 0x04, ACK | 0x02] {
        served.memory.run(&frame(Segment { flags, ..served.segment(0, b"GET / HTTP") }));
    }
    served.send(0, &bytes);
    assert_eq!(served.told(), [(Cause::NONE, 300)]);
}
