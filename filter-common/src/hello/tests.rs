use super::*;
use crate::abi::hello::HELLO_WINDOW;
use crate::decide::tests::memory::Memory;
use crate::packet::{ACK, Packet as Builder, SYN, SYN_ACK, Segment, hello, hello_start};
use std::vec;
use std::vec::Vec;

const PORTS: (u16, u16) = (40_000, 443);

/// One client's connections to one server, all on one slot.
#[derive(Default)]
struct Wire(Memory);

impl Wire {
    /// A connection whose stream starts at `start`.
    fn opened(start: u32) -> Self {
        let wire = Self::default();
        assert_eq!(wire.send(Segment::syn(PORTS, start.wrapping_sub(1))), []);
        wire
    }

    /// What is recorded of a segment: its sequence number, and the hello's start.
    fn send(&self, segment: Segment) -> Vec<(u32, u32)> {
        let packet = Builder::v4([192, 0, 2, 1], [198, 51, 100, 7]).tcp(segment);
        self.0.run(&packet.build());
        self.0.recorded()
    }

    fn data(&self, sequence: u32, payload: &[u8]) -> Vec<(u32, u32)> {
        self.send(Segment::data(PORTS, sequence, payload))
    }
}

#[test]
fn a_start_says_how_long_the_hello_is() {
    let whole = hello_start(300);
    let split = [0x16, 3, 1, 0, 50, 1, 0, 0, 200];
    let rows = [
        ("the whole start", whole, 9, 300),
        ("eight bytes of it", whole, 8, HELLO_WINDOW),
        ("one byte of it", whole, 1, HELLO_WINDOW),
        ("no bytes", whole, 0, 0),
        ("split over records", split, 9, HELLO_WINDOW),
        ("TLS 1.3 in the record", [0x16, 3, 4, 0, 50, 1, 0, 0, 46], 9, 55),
        ("the largest body", [0x16, 3, 1, 0x48, 0, 1, 0xff, 0xff, 0xff], 9, HELLO_WINDOW),
        ("version 3.5, which says nothing", [0x16, 3, 5, 0, 50, 1, 0, 0, 46], 9, 55),
        ("version 2", [0x16, 2, 0, 0, 50, 1, 0, 0, 46], 9, 0),
        ("an alert", [0x15, 3, 1, 0, 50, 1, 0, 0, 46], 9, 0),
        ("an empty record", [0x16, 3, 1, 0, 0, 1, 0, 0, 46], 9, 0),
        ("a record too long", [0x16, 3, 1, 0x48, 1, 1, 0, 0, 46], 9, 0),
        ("another message", [0x16, 3, 1, 0, 50, 2, 0, 0, 46], 9, 0),
        ("HTTP", *b"GET / HTT", 9, 0),
    ];
    for (description, bytes, len, expected) in rows {
        assert_eq!(hello_len(&bytes, len), expected, "{description}");
    }
}

#[test]
fn every_prefix_of_a_start_may_still_be_one() {
    for len in 1..9 {
        assert_eq!(hello_len(&hello_start(300), len), HELLO_WINDOW, "{len} bytes");
    }
}

#[test]
fn a_hello_in_one_segment_is_recorded_and_what_follows_is_not() {
    let wire = Wire::opened(101);
    assert_eq!(wire.data(101, &hello(300)), [(101, 101)]);
    assert_eq!(wire.data(401, b"application data"), []);
}

#[test]
fn both_segments_of_a_hello_are_recorded() {
    let wire = Wire::opened(101);
    let bytes = hello(1900);
    assert_eq!(wire.data(101, &bytes[..1400]), [(101, 101)]);
    assert_eq!(wire.data(1501, &bytes[1400..]), [(1501, 101)]);
    assert_eq!(wire.data(2001, b"application data"), []);
}

#[test]
fn a_second_segment_that_comes_first_is_recorded() {
    let wire = Wire::opened(101);
    let bytes = hello(1900);
    assert_eq!(wire.data(1501, &bytes[1400..]), [(1501, 101)]);
    assert_eq!(wire.data(101, &bytes[..1400]), [(101, 101)]);
    assert_eq!(wire.data(2001, b"application data"), []);
}

#[test]
fn a_retransmitted_segment_is_recorded_again() {
    let wire = Wire::opened(101);
    let bytes = hello(1900);
    for _ in 0..2 {
        assert_eq!(wire.data(101, &bytes[..1400]), [(101, 101)]);
        assert_eq!(wire.data(1501, &bytes[1400..]), [(1501, 101)]);
    }
}

#[test]
fn data_that_comes_with_the_syn_follows_it() {
    let wire = Wire::default();
    let bytes = hello(1900);
    let first = Segment { payload: &bytes[..1400], ..Segment::syn(PORTS, 100) };
    assert_eq!(wire.send(first), [(100, 101)]);
    assert_eq!(wire.data(1501, &bytes[1400..]), [(1501, 101)]);
}

#[test]
fn sequence_numbers_wrap() {
    for start in [0, u32::MAX, u32::MAX - 700, u32::MAX - 1400] {
        let wire = Wire::opened(start);
        let bytes = hello(1900);
        let second = start.wrapping_add(1400);
        assert_eq!(wire.data(second, &bytes[1400..]), [(second, start)]);
        assert_eq!(wire.data(start, &bytes[..1400]), [(start, start)]);
        assert_eq!(wire.data(start.wrapping_add(1900), b"data"), []);
    }
}

#[test]
fn a_first_segment_of_one_byte_keeps_the_window_open() {
    let wire = Wire::opened(101);
    let bytes = hello(300);
    assert_eq!(wire.data(101, &bytes[..1]), [(101, 101)]);
    assert_eq!(wire.data(102, &bytes[1..]), [(102, 101)]);
}

#[test]
fn a_stream_that_is_no_tls_closes_its_window() {
    let wire = Wire::opened(101);
    assert_eq!(wire.data(101, b"GET / HTTP/1.1\r\n"), []);
    assert_eq!(wire.data(117, b"Host: example.com\r\n"), []);
}

#[test]
fn a_segment_far_behind_the_start_is_not_recorded() {
    let wire = Wire::opened(101);
    assert_eq!(wire.data(101 + HELLO_WINDOW - 1, b"?"), [(101 + HELLO_WINDOW - 1, 101)]);
    assert_eq!(wire.data(101 + HELLO_WINDOW, b"?"), []);
}

#[test]
fn a_segment_that_reaches_into_the_window_from_before_is_recorded() {
    let wire = Wire::opened(101);
    assert_eq!(wire.data(99, b"ab"), []);
    assert_eq!(wire.data(99, b"abc"), [(99, 101)]);
}

#[test]
fn data_of_a_connection_older_than_the_filter_is_not_recorded_unless_it_starts_a_hello() {
    let wire = Wire::default();
    assert_eq!(wire.data(9000, b"application data"), []);
    assert_eq!(wire.data(9016, &hello(300)), [(9016, 9016)]);
    assert_eq!(wire.data(9316, b"application data"), []);
}

#[test]
fn a_newer_connection_takes_the_slot_and_its_own_start_gets_an_older_one_back() {
    let wire = Wire::opened(101);
    let bytes = hello(1900);
    assert_eq!(wire.send(Segment::syn((40_001, 443), 1000)), []);
    assert_eq!(wire.data(1501, &bytes[1400..]), []);
    assert_eq!(wire.data(101, &bytes[..1400]), [(101, 101)]);
    assert_eq!(wire.data(1501, &bytes[1400..]), [(1501, 101)]);
}

#[test]
fn a_connection_on_used_ports_starts_anew() {
    let wire = Wire::opened(101);
    wire.data(101, &hello(300));
    assert_eq!(wire.send(Segment::syn(PORTS, 70_000)), []);
    assert_eq!(wire.data(101, b"late"), []);
    assert_eq!(wire.data(70_001, &hello(300)), [(70_001, 70_001)]);
}

#[test]
fn segments_without_data_record_nothing_and_leave_the_window_alone() {
    let wire = Wire::opened(101);
    for flags in [ACK, SYN_ACK, 0x04, 0x01, 0] {
        assert_eq!(wire.send(Segment { flags, ..Segment::data(PORTS, 101, &[]) }), []);
    }
    assert_eq!(wire.data(101, &hello(300)), [(101, 101)]);
}

#[test]
fn fragments_are_not_recorded() {
    let memory = Memory::default();
    let bytes = hello(300);
    let packet = Builder::v4([192, 0, 2, 1], [198, 51, 100, 7]).fragment(0, true);
    for segment in [
        Segment::data(PORTS, 101, &bytes),
        Segment { flags: SYN, ..Segment::data(PORTS, 101, &bytes) },
    ] {
        memory.run(&packet.clone().tcp(segment).build());
    }
    assert_eq!(memory.recorded(), vec![]);
}

#[test]
fn a_second_hello_is_found_behind_a_change_cipher_spec() {
    let wire = Wire::opened(1_000);
    assert_eq!(wire.data(1_000, &hello(300)), [(1_000, 1_000)]);
    let mut second = vec![0x14, 3, 3, 0, 1, 1];
    second.extend(hello(400));
    assert_eq!(wire.data(1_300, &second), [(1_300, 1_306)]);
    assert_eq!(wire.data(1_706, b"more"), [], "the window ends where the second hello does");
    let finished = [0x14, 3, 3, 0, 1, 1, 0x17, 3, 3, 0, 53, 1, 2, 3, 4];
    assert_eq!(wire.data(1_706, &finished), [], "what ends a handshake is no hello");
}
