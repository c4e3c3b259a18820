//! What the program writes is put together here as it does it, and summed by code that
//! knows nothing of it.

use super::*;
use crate::packet::proto;
use crate::packet::{Packet as Builder, Segment};
use crate::wire::checksum::{Checksum, verify_tcp};
use crate::wire::cursor::SlicePacket;
use crate::wire::frame::{Kind, parse};
use proptest::prelude::*;
use std::vec::Vec;

/// The frame with a reset in its segment's place.
fn reset(bytes: &[u8]) -> (Frame, Vec<u8>) {
    let mut frame = Frame::default();
    parse(&SlicePacket::new(bytes), &mut frame);
    assert!(frame.is_resettable());
    let (network, tcp) = (usize::from(frame.network_offset), index(frame.tcp.offset));
    let mut after = bytes.to_vec();
    let len = claimed_len(&frame);
    if frame.version == 6 {
        after[network + 4..network + 6].copy_from_slice(&len.to_be_bytes());
    } else {
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let checksum = updated(word(network + 10), word(network + 2), len);
        after[network + 2..network + 4].copy_from_slice(&len.to_be_bytes());
        after[network + 10..network + 12].copy_from_slice(&checksum.to_be_bytes());
    }
    let header = header(&frame).map(u32::to_be_bytes);
    after[tcp..tcp + 20].copy_from_slice(header.as_flattened());
    after.truncate(tcp + 20);
    (frame, after)
}

fn index(offset: u32) -> usize {
    usize::try_from(offset).unwrap()
}

fn octets(address: Address) -> [u8; 16] {
    (u128::from(address.high) << 64 | u128::from(address.low)).to_be_bytes()
}

/// Checks that it is a whole packet, that every stack would take for a reset.
fn check(before: &Frame, bytes: &[u8]) -> Result<(), TestCaseError> {
    let mut frame = Frame::default();
    parse(&SlicePacket::new(bytes), &mut frame);
    prop_assert_eq!(frame.kind, Kind::Tcp);
    prop_assert!(frame.tcp.flags.resets() && !frame.tcp.flags.synchronizes());
    prop_assert_eq!((frame.source, frame.destination), (before.source, before.destination));
    let ports = |frame: &Frame| (frame.tcp.source_port, frame.tcp.destination_port);
    prop_assert_eq!(ports(&frame), ports(before));
    prop_assert_eq!(frame.tcp.sequence, before.tcp.sequence);
    prop_assert_eq!((frame.tcp.len, frame.bytes), (20, frame.tcp.offset + 20));
    let segment = &bytes[index(frame.tcp.offset)..];
    let (source, destination) = (octets(frame.source), octets(frame.destination));
    prop_assert_eq!(verify_tcp(&source, &destination, segment), Checksum::Valid);
    if frame.version == 4 {
        let ip = &bytes[usize::from(frame.network_offset)..index(frame.tcp.offset)];
        let sum: u32 = ip.as_chunks().0.iter().map(|w| u32::from(u16::from_be_bytes(*w))).sum();
        prop_assert_eq!(sum % 0xffff, 0);
    }
    Ok(())
}

fn segment<'a>(options: &'a [u8], payload: &'a [u8], sequence: u32) -> Segment<'a> {
    Segment { options, ..Segment::data((40_000, 443), sequence, payload) }
}

#[test]
fn what_no_stack_would_take_a_reset_for_is_not_resettable() {
    let v4 = || Builder::v4([192, 0, 2, 1], [198, 51, 100, 7]);
    let reset = Segment { flags: 0x04, ..segment(&[], b"", 1) };
    let rows = [
        v4().tcp(Segment::syn((40_000, 443), 1)),
        v4().tcp(reset),
        v4().tcp(segment(&[], b"first", 1)).fragment(0, true),
        v4().udp((40_000, 443), b"?"),
    ];
    for packet in rows {
        let mut frame = Frame::default();
        parse(&SlicePacket::new(&packet.build()), &mut frame);
        assert!(!frame.is_resettable());
    }
}

proptest! {
    #[test]
    fn a_segment_becomes_a_reset_with_right_checksums(
        source: [u8; 4], destination: [u8; 4], ports: (u16, u16), sequence: u32,
        options in prop::collection::vec(any::<u8>(), 0..40),
        payload in prop::collection::vec(any::<u8>(), 0..200),
        (words, tags, padding) in (0_usize..=10, 0_usize..=2, 0_usize..8),
    ) {
        let tcp = Segment { ports, ..segment(&options, &payload, sequence) };
        let plain = Builder::v4(source, destination).options(words).tcp(tcp).padding(padding);
        let packet = (0..tags).fold(plain, |packet, _| packet.vlan(proto::VLAN));
        let (before, after) = reset(&packet.build());
        check(&before, &after)?;
    }

    #[test]
    fn so_it_does_in_ipv6_behind_extension_headers(
        source: [u8; 16], destination: [u8; 16], ports: (u16, u16), sequence: u32,
        payload in prop::collection::vec(any::<u8>(), 0..200),
        (extra, count, padding) in (0_u8..3, 0_usize..=3, 0_usize..8),
    ) {
        let tcp = Segment { ports, ..segment(&[], &payload, sequence) };
        let plain = Builder::v6(source, destination);
        let extended =
            (0..count).fold(plain, |packet, _| packet.extension(proto::DESTINATION, extra));
        let (before, after) = reset(&extended.tcp(tcp).padding(padding).build());
        check(&before, &after)?;
    }

    #[test]
    fn a_checksum_is_updated_as_if_it_were_summed_again(
        mut words: [u16; 10], at in 0_usize..9, word: u16,
    ) {
        let sum = |words: &[u16]| words.iter().fold(0_u32, |sum, word| sum + u32::from(*word));
        words[9] = 0;
        let folded = |sum: u32| u16::try_from((sum % 0xffff + 0xfffe) % 0xffff + 1).unwrap();
        prop_assume!(sum(&words) != 0);
        words[9] = !folded(sum(&words));
        let before = core::mem::replace(&mut words[at], word);
        words[9] = updated(words[9], before, word);
        prop_assert_eq!(sum(&words) % 0xffff, 0);
    }
}
