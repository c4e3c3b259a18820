//! One corpus of frames: every case that the parser and the rules tell apart.

pub mod mutation;
pub mod source;

use crate::packet::proto::{self, SERVICE_VLAN, VLAN};
use crate::packet::{Packet, SYN, SYN_ACK, Segment, hello};
use source::Source;

/// A frame and what is special about it.
pub type Named = (String, Vec<u8>);

/// Every content from every source, and from one of each family every wrapping.
#[must_use]
pub fn corpus() -> Vec<Named> {
    let mut frames = Vec::new();
    for source in source::ALL {
        let packets = contents(&source.packet()).into_iter();
        frames.extend(packets.map(|(name, packet)| named(source, name, packet.build())));
    }
    for source in [&source::PLAIN_V4, &source::PLAIN_V6] {
        let packets = wrapped(&source.packet()).into_iter();
        frames.extend(packets.map(|(name, packet)| named(source, name, packet.build())));
        let broken = broken(&source.packet()).into_iter();
        frames.extend(broken.map(|(name, frame)| named(source, name, frame)));
    }
    frames
}

fn named(source: &Source, content: &str, frame: Vec<u8>) -> Named {
    (format!("{content} from {}", source.name), frame)
}

const PORTS: (u16, u16) = (40_000, 443);

/// What a client may send, in an order in which a connection could bring it.
fn contents(from: &Packet) -> Vec<(&'static str, Packet)> {
    let bytes = hello(1900);
    let (first, second) = bytes.split_at(1400);
    let tcp = |sequence, payload: &[u8]| from.clone().tcp(Segment::data(PORTS, sequence, payload));
    let flags = |flags| from.clone().tcp(Segment { flags, ..Segment::data(PORTS, 500, &[]) });
    let early = Segment { flags: SYN, ..Segment::data((40_001, 443), 900, &bytes[..1000]) };
    vec![
        ("a datagram", from.clone().udp((5000, 53), b"question")),
        ("a SYN", from.clone().tcp(Segment::syn(PORTS, 100))),
        ("the hello's second segment", tcp(1501, second)),
        ("the hello's first segment", tcp(101, first)),
        ("the second again", tcp(1501, second)),
        ("data behind the hello", tcp(2001, b"application data")),
        ("a SYN with a hello", from.clone().tcp(early)),
        ("a SYN and ACK", flags(SYN_ACK)),
        ("a FIN", flags(0x11)),
        ("a segment without flags", flags(0)),
        ("a hello of one byte", tcp(70_000, &first[..1])),
        ("plain HTTP", tcp(80_000, b"GET / HTTP/1.1\r\n\r\n")),
        ("an echo request", from.clone().icmp(8, &[0; 12])),
        ("a first fragment", from.clone().fragment(0, true).tcp(Segment::data(PORTS, 101, first))),
        ("a later fragment", from.clone().fragment(9, false).payload(proto::TCP, first)),
        ("a datagram's fragment", from.clone().fragment(0, true).udp((5000, 53), &[0; 64])),
        ("a protocol without ports", from.clone().payload(proto::ESP, &[7; 40])),
        ("nothing", from.clone().payload(proto::NONE, &[])),
    ]
}

/// What may lie between the link and a segment.
fn wrapped(from: &Packet) -> Vec<(&'static str, Packet)> {
    let bytes = hello(300);
    let segment = Segment::data((40_002, 443), 1, &bytes);
    let extended = |kinds: &[u8]| kinds.iter().fold(from.clone(), |p, kind| p.extension(*kind, 1));
    let with_options = Segment { options: &[1; 40], ..segment };
    let packets = [
        ("one tag", from.clone().vlan(VLAN)),
        ("two tags", from.clone().vlan(SERVICE_VLAN).vlan(VLAN)),
        ("three tags", from.clone().vlan(SERVICE_VLAN).vlan(VLAN).vlan(VLAN)),
        ("one word of options", from.clone().options(1)),
        ("ten words of options", from.clone().options(10)),
        ("hop by hop", extended(&[proto::HOP_BY_HOP])),
        ("authentication", extended(&[proto::AUTHENTICATION])),
        ("routing and destination", extended(&[proto::ROUTING, proto::DESTINATION])),
        ("six extensions", extended(&EXTENSIONS[..6])),
        ("seven extensions", extended(&EXTENSIONS)),
        ("the longest extension", from.clone().extension(proto::DESTINATION, 255)),
        ("an atomic fragment", from.clone().fragment(0, false)),
        ("padding", from.clone().padding(50)),
    ];
    let mut packets = packets.map(|(name, packet)| (name, packet.tcp(segment))).to_vec();
    packets.push(("TCP options", from.clone().tcp(with_options)));
    packets
}

const EXTENSIONS: [u8; 7] = [
    proto::HOP_BY_HOP,
    proto::DESTINATION,
    proto::ROUTING,
    proto::MOBILITY,
    proto::HIP,
    proto::SHIM6,
    proto::AUTHENTICATION,
];

/// Headers that lie: every byte of the IP and transport headers, in turn, as zero, as
/// all ones, and one off. Every prefix that the kernel runs.
fn broken(from: &Packet) -> Vec<(&'static str, Vec<u8>)> {
    let packets = [
        from.clone().tcp(Segment::data(PORTS, 101, b"payload")).padding(9).build(),
        from.clone().udp((5000, 53), b"question").build(),
        from.clone().extension(proto::DESTINATION, 1).fragment(0, false).icmp(135, &[0; 8]).build(),
    ];
    let mut frames = Vec::new();
    for frame in &packets {
        for at in 12..frame.len() {
            let byte = frame[at];
            for value in [0, 0xff, byte.wrapping_add(1), byte.wrapping_sub(1)] {
                let mut lying = frame.clone();
                lying[at] = value;
                frames.push(("a lie", lying));
            }
        }
        let prefixes = (SHORTEST..frame.len()).map(|len| ("a prefix", frame[..len].to_vec()));
        frames.extend(prefixes);
    }
    frames
}

/// The kernel runs no frame without an Ethernet header.
pub const SHORTEST: usize = 14;
