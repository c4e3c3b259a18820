use super::*;
use crate::abi::client::ClientKey;
use crate::packet::proto::{self, SERVICE_VLAN, VLAN};
use crate::packet::{Packet as Builder, Segment};
use crate::wire::cursor::SlicePacket;
use std::vec::Vec;

mod garbage;
mod malformed;

fn parsed(frame: &[u8]) -> Frame {
    let mut found = Frame::default();
    parse(&SlicePacket::new(frame), &mut found);
    found
}

fn v4() -> Builder {
    Builder::v4([192, 0, 2, 1], [198, 51, 100, 7])
}

fn v6() -> Builder {
    let mut source = [0; 16];
    source[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    source[15] = 1;
    let mut destination = source;
    destination[15] = 7;
    Builder::v6(source, destination)
}

const PAYLOAD: &[u8] = b"payload";

fn data() -> Segment<'static> {
    Segment::data((40_000, 443), 7, PAYLOAD)
}

/// The frame with other bytes in one place. IP starts at 14, what IPv4 carries at 34.
fn with<const N: usize>(packet: &Builder, at: usize, bytes: [u8; N]) -> Vec<u8> {
    let mut frame = packet.build();
    frame[at..at + N].copy_from_slice(&bytes);
    frame
}

fn extended(extensions: &[u8]) -> Builder {
    extensions.iter().fold(v6(), |packet, kind| packet.extension(*kind, 1)).tcp(data())
}

fn six() -> Builder {
    let all = [
        proto::HOP_BY_HOP,
        proto::DESTINATION,
        proto::ROUTING,
        proto::MOBILITY,
        proto::HIP,
        proto::SHIM6,
    ];
    extended(&all)
}

/// Whole TCP segments in everything that they may be wrapped in.
fn wrapped() -> Vec<(&'static str, Vec<u8>)> {
    let segment_with_options = Segment { options: &[1; 40], ..data() };
    std::vec![
        ("IPv4", v4().tcp(data()).build()),
        ("IPv4, one tag", v4().vlan(VLAN).tcp(data()).build()),
        ("IPv4, two tags", v4().vlan(SERVICE_VLAN).vlan(VLAN).tcp(data()).build()),
        ("IPv4, old QinQ", v4().vlan(0x9100).vlan(VLAN).tcp(data()).build()),
        ("IPv4, one word of options", v4().options(1).tcp(data()).build()),
        ("IPv4, ten words of options", v4().options(10).tcp(data()).build()),
        ("IPv4, TCP options", v4().tcp(segment_with_options).build()),
        ("IPv6", v6().tcp(data()).build()),
        ("IPv6, two tags", v6().vlan(SERVICE_VLAN).vlan(VLAN).tcp(data()).build()),
        ("IPv6, hop by hop", extended(&[proto::HOP_BY_HOP]).build()),
        ("IPv6, routing", extended(&[proto::ROUTING]).build()),
        ("IPv6, authentication", extended(&[proto::AUTHENTICATION]).build()),
        ("IPv6, destination", extended(&[proto::DESTINATION]).build()),
        ("IPv6, mobility", extended(&[proto::MOBILITY]).build()),
        ("IPv6, HIP", extended(&[proto::HIP]).build()),
        ("IPv6, shim6", extended(&[proto::SHIM6]).build()),
        ("IPv6, six extensions", six().build()),
        ("IPv6, the longest extension", v6().extension(60, 255).tcp(data()).build()),
        ("IPv6, atomic fragment", v6().fragment(0, false).tcp(data()).build()),
    ]
}

#[test]
fn a_segment_is_found_in_all_its_wrappings() {
    for (description, frame) in wrapped() {
        let found = parsed(&frame);
        assert_eq!((found.kind, found.reason), (Kind::Tcp, Reason::NO_RULE), "{description}");
        let tcp = found.tcp;
        let start = usize::try_from(tcp.offset + u32::from(tcp.header_len)).unwrap();
        let len = usize::try_from(tcp.payload_len()).unwrap();
        assert_eq!(&frame[start..start + len], PAYLOAD, "{description}");
        assert_eq!((tcp.source_port, tcp.destination_port), (40_000, 443), "{description}");
        assert_eq!((tcp.sequence, tcp.fragment), (7, false), "{description}");
    }
}

#[test]
fn ethernet_padding_is_no_payload() {
    for packet in [v4(), v6()] {
        let segment = Segment { payload: b"x", ..data() };
        assert_eq!(parsed(&packet.tcp(segment).padding(20).build()).tcp.payload_len(), 1);
    }
}

#[test]
fn a_length_of_zero_reaches_to_the_end() {
    for frame in [with(&v4().tcp(data()), 16, [0, 0]), with(&v6().tcp(data()), 18, [0, 0])] {
        assert_eq!(parsed(&frame).tcp.payload_len(), 7);
    }
}

#[test]
fn the_first_fragment_shows_its_segment_and_later_ones_nothing() {
    for packet in [v4(), v6()] {
        let first = parsed(&packet.clone().fragment(0, true).tcp(data()).build());
        assert_eq!((first.kind, first.tcp.fragment), (Kind::Tcp, true));
        for more in [true, false] {
            let later = parsed(&packet.clone().fragment(1, more).tcp(data()).build());
            assert_eq!((later.kind, later.reason), (Kind::Addressed, Reason::NO_RULE));
        }
    }
}

#[test]
fn extensions_are_not_looked_for_in_a_later_fragment() {
    let later = v6().fragment(9, false).extension(proto::DESTINATION, 200).tcp(data()).build();
    assert_eq!(parsed(&later[..80]).reason, Reason::IP_LENGTH);
    assert_eq!(parsed(&later).reason, Reason::NO_RULE);
}

#[test]
fn a_datagram_longer_than_its_first_fragment_is_fine() {
    let udp = v4().udp((5000, 53), PAYLOAD);
    let first = with(&udp.clone().fragment(0, true), 38, [9, 9]);
    assert_eq!(parsed(&first).reason, Reason::NO_RULE);
}

#[test]
fn neighbour_discovery_is_believed_from_the_link_alone() {
    let seen = |kind, hops| parsed(&v6().icmp(kind, &[0; 20]).hop_limit(hops).build());
    for kind in 133..=137 {
        assert_eq!(seen(kind, 255).kind, Kind::Neighbour, "type {kind}");
        assert_eq!(seen(kind, 255).reason, Reason::NEIGHBOUR, "type {kind}");
        assert_eq!(seen(kind, 254).kind, Kind::Addressed, "type {kind}");
    }
    for kind in [128, 132, 138] {
        assert_eq!(seen(kind, 255).kind, Kind::Addressed, "type {kind}");
    }
    let v4 = v4().payload(proto::ICMP_V6, &[135; 20]).hop_limit(255);
    assert_eq!(parsed(&v4.build()).kind, Kind::Addressed);
}

#[test]
fn a_mapped_source_is_the_ipv4_address() {
    let mut mapped = [0; 16];
    mapped[10..].copy_from_slice(&[0xff, 0xff, 192, 0, 2, 1]);
    let inside_v6 = parsed(&Builder::v6(mapped, [7; 16]).tcp(data()).build());
    assert_eq!(inside_v6.source, parsed(&v4().tcp(data()).build()).source);
    assert!(inside_v6.source.is_v4());
    assert_eq!(inside_v6.source.tail().to_be_bytes(), [192, 0, 2, 1]);
}

#[test]
fn an_ipv6_client_is_its_64_and_an_ipv4_client_is_itself() {
    let client = |packet: Builder| parsed(&packet.build()).source.client();
    assert_eq!(client(v6()), ClientKey { high: 0x2001_0db8_0000_0000, low: 0 });
    assert_eq!(client(v4()), ClientKey { high: 0, low: 0xffff_c000_0201 });
}
