//! What the generator sends is what a host would take.

use super::*;
use crate::packet::{Packet, Segment};
use std::vec::Vec;

const SERVER: [u8; 4] = [192, 0, 2, 1];

fn syn(source: [u8; 4], port: u16, sequence: u32) -> Vec<u8> {
    Packet::v4(source, SERVER).tcp(Segment::syn((port, 443), sequence)).padding(6).build()
}

fn datagram(source: [u8; 4], port: u16) -> Vec<u8> {
    Packet::v4(source, SERVER).udp((port, 53), b"an odd number of bytes,").build()
}

/// A frame as the generator changes it.
fn stamped(template: &[u8], source: [u8; 4], port: u16, sequence: u32) -> Vec<u8> {
    let plan = FloodPlan::new(template, 1).unwrap();
    let headers =
        plan.stamped(u32::from_be_bytes(source), port.swap_bytes(), sequence.swap_bytes());
    let written = headers.map(u64::to_le_bytes).concat();
    [&written, &template[HEADER_LEN..]].concat()
}

#[test]
fn a_stamped_frame_is_the_frame_that_its_source_would_have_sent() {
    for n in 1_u32..2000 {
        let number = n.wrapping_mul(0x9e37_79b9);
        let (source, port) = (number.to_be_bytes(), u16::try_from(number >> 16).unwrap());
        let sequence = number.rotate_left(7);
        let template = syn([10, 0, 0, 1], 1, 1);
        assert_eq!(stamped(&template, source, port, sequence), syn(source, port, sequence));
        let template = datagram([10, 0, 0, 1], 1);
        assert_eq!(stamped(&template, source, port, sequence), datagram(source, port));
    }
}

#[test]
fn sources_are_any_or_those_of_a_range() {
    let plan = FloodPlan::new(&syn([10, 0, 0, 1], 1, 1), 1).unwrap();
    assert_eq!(plan.source(0xdead_beef), 0xdead_beef);
    let range = plan.from(0x0a00_0000, 100_000);
    assert_eq!(range.source(u32::MAX), 0x0a00_0000 + u32::MAX % 100_000);
    assert_eq!(range.from(u32::MAX, 7).source(8), 0, "it wraps");
}

const MS: u64 = 1_000_000;

#[test]
fn a_pace_is_kept_over_short_pauses_and_not_over_long_ones() {
    let plan = FloodPlan::new(&syn([10, 0, 0, 1], 1, 1), 1).unwrap().paced(1000);
    assert_eq!(plan.due_after(100 * MS, 100 * MS), 101 * MS);
    assert_eq!(plan.due_after(100 * MS, 104 * MS), 101 * MS, "three more are due");
    assert_eq!(plan.due_after(100 * MS, 200 * MS), 196 * MS, "no more than five are");
    assert_eq!(plan.paced(0).due_after(0, 0), 0);
}

#[test]
fn what_is_no_plain_tcp_or_udp_is_no_template() {
    let good = syn([10, 0, 0, 1], 1, 1);
    for len in 0..HEADER_LEN {
        assert_eq!(FloodPlan::new(&good[..len], 1), None);
    }
    let v6 = Packet::v6([0xfd; 16], [0xfe; 16]).udp((1, 2), &[0; 64]).build();
    let options = Packet::v4([10, 0, 0, 1], SERVER).options(1).udp((1, 2), &[0; 64]).build();
    let ping = Packet::v4([10, 0, 0, 1], SERVER).icmp(8, &[0; 64]).build();
    for other in [v6, options, ping] {
        assert_eq!(FloodPlan::new(&other, 1), None);
    }
}
