use super::*;
use crate::quic::checksum::{PROTOCOL, fold, sum};
use proptest::prelude::*;
use proptest::sample::Index;

/// The start of an Initial packet, which nothing here looks into.
const PAYLOAD: [u8; 40] = {
    let mut payload = [7; 40];
    payload[0] = 0xc0;
    [payload[1], payload[2], payload[3], payload[4]] = [0, 0, 0, 1];
    payload
};

const V4: [u8; 8] = [192, 0, 2, 1, 198, 51, 100, 7];

/// UDP header and payload with a right checksum.
fn udp(ends: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x9c, 0x40, 0x20, 0xfb];
    bytes.extend(u16::try_from(payload.len() + 8).unwrap().to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    let total = pseudo(ends, &bytes) + sum(&bytes);
    set_sum(&mut bytes, 0xffff - fold(total));
    bytes
}

fn pseudo(ends: &[u8], udp: &[u8]) -> u64 {
    sum(ends) + PROTOCOL + u64::try_from(udp.len()).unwrap()
}

fn set_sum(udp: &mut [u8], sum: u64) {
    udp[6..8].copy_from_slice(&u16::try_from(sum).unwrap().to_be_bytes());
}

/// An IPv4 packet with options and the flags and offset of fragments.
fn v4(options: &[u8], fragment: u16, transport: &[u8]) -> Vec<u8> {
    let header_len = 20 + options.len();
    let mut bytes = vec![0x40 | u8::try_from(header_len / 4).unwrap(), 0];
    bytes.extend(u16::try_from(header_len + transport.len()).unwrap().to_be_bytes());
    bytes.extend([0, 1]);
    bytes.extend(fragment.to_be_bytes());
    bytes.extend([64, 17, 0, 0]);
    bytes.extend(V4);
    bytes.extend(options);
    bytes.extend(transport);
    bytes
}

fn v6_ends() -> Vec<u8> {
    [[0x20, 1, 0xd, 0xb8], [0; 4], [0; 4], [0, 0, 0, 1]].concat().repeat(2)
}

/// An IPv6 packet; `extensions` are whole headers whose first is of kind `next`.
fn v6(next: u8, extensions: &[u8], transport: &[u8]) -> Vec<u8> {
    let len = u16::try_from(extensions.len() + transport.len()).unwrap().to_be_bytes();
    let head = [&[0x60, 0, 0, 0][..], &len, &[next, 64], &v6_ends()].concat();
    [&head[..], extensions, transport].concat()
}

fn ethernet(tags: &[u8], kind: [u8; 2], ip: &[u8]) -> Vec<u8> {
    [&[0; 12][..], tags, &kind, ip].concat()
}

fn plain() -> Vec<u8> {
    ethernet(&[], [8, 0], &v4(&[], 0, &udp(&V4, &PAYLOAD)))
}

fn read(bytes: &[u8]) -> Option<Datagram> {
    datagram(Frame { bytes, captured: bytes.len() }, 5)
}

#[test]
fn a_datagram_is_found_behind_tags_options_and_extensions() {
    let whole = udp(&V4, &PAYLOAD);
    let options = [1, 1, 1, 0];
    // An extension header with padding, and the kind of what follows it.
    let padded = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    let six = udp(&v6_ends(), &PAYLOAD);
    let two = [padded(60), padded(17)].concat();
    for frame in [
        plain(),
        ethernet(&[0x81, 0, 0, 5], [8, 0], &v4(&[], 0, &whole)),
        ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6], [8, 0], &v4(&options, 0, &whole)),
        ethernet(&[], [0x86, 0xdd], &v6(17, &[], &six)),
        ethernet(&[0x81, 0, 0, 5], [0x86, 0xdd], &v6(0, &padded(17), &six)),
        ethernet(&[], [0x86, 0xdd], &v6(0, &two, &six)),
        // What Ethernet adds to short frames is not looked at.
        [plain(), vec![0xff; 9]].concat(),
    ] {
        let found = read(&frame).unwrap();
        assert_eq!((found.payload_len, found.time_ns), (PAYLOAD.len(), 5));
        assert_eq!(found.payload[..], PAYLOAD);
        assert_eq!((found.flow.source.port(), found.flow.destination.port()), (40_000, 8443));
    }
    let flow = read(&plain()).unwrap().flow;
    assert_eq!(flow.source, "192.0.2.1:40000".parse().unwrap());
    assert_eq!(flow.destination, "198.51.100.7:8443".parse().unwrap());
}

#[test]
fn fragments_are_ignored() {
    let whole = udp(&V4, &PAYLOAD);
    for fragment in [0x2000, 0x2001, 1] {
        assert!(read(&ethernet(&[], [8, 0], &v4(&[], fragment, &whole))).is_none());
    }
    assert!(read(&ethernet(&[], [8, 0], &v4(&[], 0x4000, &whole))).is_some());
    let fragment = [17, 0, 0, 1, 0, 0, 0, 9];
    let six = udp(&v6_ends(), &PAYLOAD);
    assert!(read(&ethernet(&[], [0x86, 0xdd], &v6(44, &fragment, &six))).is_none());
}

#[test]
fn what_the_stack_drops_is_ignored() {
    let frame = |udp: &[u8]| ethernet(&[], [8, 0], &v4(&[], 0, udp));
    let mut bytes = udp(&V4, &PAYLOAD);
    bytes[20] ^= 1;
    assert!(read(&frame(&bytes)).is_none(), "a wrong checksum");
    set_sum(&mut bytes, 0);
    assert!(read(&frame(&bytes)).is_some(), "no checksum");
    let partial = fold(pseudo(&V4, &bytes));
    set_sum(&mut bytes, partial);
    assert!(read(&frame(&bytes)).is_some(), "one that the network card makes");
    let mut six = udp(&v6_ends(), &PAYLOAD);
    set_sum(&mut six, 0);
    assert!(read(&ethernet(&[], [0x86, 0xdd], &v6(17, &[], &six))).is_none(), "none in IPv6");
    let mut long = udp(&V4, &PAYLOAD);
    long[5] += 1;
    assert!(read(&frame(&long)).is_none(), "longer than its packet");
    long[5] = 7;
    assert!(read(&frame(&long)).is_none(), "shorter than its header");
}

#[test]
fn a_datagram_may_end_before_its_packet() {
    let mut whole = udp(&V4, &PAYLOAD);
    whole.extend([0xee; 6]);
    let found = read(&ethernet(&[], [8, 0], &v4(&[], 0, &whole))).unwrap();
    assert_eq!(found.payload[..], PAYLOAD);
}

#[test]
fn another_payload_or_protocol_is_none_of_ours() {
    let mut short = PAYLOAD;
    short[0] = 0x40;
    let mut draft = PAYLOAD;
    draft[4] = 0;
    for payload in [short, draft] {
        assert!(read(&ethernet(&[], [8, 0], &v4(&[], 0, &udp(&V4, &payload)))).is_none());
    }
    let mut tcp = plain();
    tcp[23] = 6;
    assert!(read(&tcp).is_none());
    let mut arp = plain();
    arp[13] = 6;
    assert!(read(&arp).is_none());
}

#[test]
fn a_cut_datagram_claims_more_than_it_has() {
    let bytes = plain();
    for captured in 0..bytes.len() {
        let mut filled = bytes.clone();
        filled[captured..].fill(0);
        let found = datagram(Frame { bytes: &filled, captured }, 0);
        // Five bytes of payload tell what it may be.
        assert_eq!(found.is_some(), captured >= 14 + 20 + 8 + 5, "{captured} bytes");
        let Some(found) = found else { continue };
        assert_eq!((found.payload.len(), found.payload_len), (captured - 42, PAYLOAD.len()));
    }
}

proptest! {
    #[test]
    fn any_frame_is_read_or_not(
        noise in proptest::collection::vec(any::<u8>(), 0..120), at: Index, value: u8, cut: Index,
    ) {
        let _ = read(&noise);
        for kind in [[8, 0], [0x86, 0xdd]] {
            let _ = read(&ethernet(&[], kind, &noise));
        }
        let mut frame = plain();
        let place = at.index(frame.len());
        frame[place] = value;
        let captured = cut.index(frame.len() + 1);
        let _ = datagram(Frame { bytes: &frame, captured }, 0);
    }
}
