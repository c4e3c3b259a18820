mod steps;

use super::*;
use bytes::Bytes;
use filter_common::wire::checksum::{Checksum, verify_tcp};
use proptest::prelude::*;
use proptest::sample::Index;
use std::net::{IpAddr, Ipv4Addr};

const ADDRESSES: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7))];

/// A hello that fits two segments, as a stream of TLS records of at most `record` bytes.
fn hello_stream(record: usize) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([9; 32]);
    body.extend([0, 0, 6, 0x1a, 0x1a, 0x13, 0x02, 0x13, 0x01, 1, 0]);
    let mut extensions = vec![0x2a, 0x2a, 0, 0];
    extensions.extend(b"\0\0\0\x0e\0\x0c\0\0\x09a.example");
    extensions.extend(b"\0\x10\0\x05\0\x03\x02h2");
    extensions.extend([0, 13, 0, 8, 0, 6, 0x3a, 0x3a, 8, 4, 4, 3]);
    extensions.extend([0, 43, 0, 5, 4, 0x4a, 0x4a, 3, 4]);
    extensions.extend([0, 21, 6, 0]);
    extensions.extend([0; 1536]);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let len = u32::try_from(body.len()).unwrap().to_be_bytes();
    let message = [&[1, len[1], len[2], len[3]], &body[..]].concat();
    let records = message.chunks(record).map(|chunk| {
        let len = u16::try_from(chunk.len()).unwrap().to_be_bytes();
        [&[0x16, 3, 1][..], &len, chunk].concat()
    });
    records.flatten().collect()
}

const RAW: &str = "t13d0205h2_1301,1302_000d,0015,002b_0804,0403";

/// TCP header and payload with a right checksum.
fn tcp(sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x9c, 0x40, 1, 187];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend([0, 0, 0, 0, 0x50, flags, 1, 0, 0, 0, 0, 0]);
    bytes.extend(payload);
    let octets = ADDRESSES.map(|address| match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    });
    let sum: u32 = (octets.concat().chunks(2).chain(bytes.chunks(2)))
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum::<u32>()
        + 6
        + u32::try_from(bytes.len()).unwrap();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    let checksum = u16::try_from(0xffff - folded).unwrap();
    bytes[16..18].copy_from_slice(&checksum.to_be_bytes());
    assert_eq!(verify_tcp(&octets[0], &octets[1], &bytes), Checksum::Valid);
    bytes
}

fn made(start: u32, bytes: Vec<u8>, time_ns: u64) -> Segment {
    let len = u32::try_from(bytes.len()).unwrap();
    let segment = Segment::new(ADDRESSES, start, &bytes.into(), len).unwrap();
    Segment { time_ns, ..segment }
}

/// A part of a stream that starts at `start`.
fn part(start: u32, stream: &[u8], range: std::ops::Range<usize>) -> Segment {
    let at = start.wrapping_add(u32::try_from(range.start).unwrap());
    made(start, tcp(at, 0x18, &stream[range]), 0)
}

fn told(assembler: &mut Assembler) -> Vec<Outcome> {
    std::iter::from_fn(|| assembler.poll_outcome()).collect()
}

fn run(segments: &[Segment]) -> Vec<Outcome> {
    let mut assembler = Assembler::new();
    for segment in segments {
        assembler.handle_segment(segment);
    }
    assembler.finish();
    told(&mut assembler)
}

/// What the stream ended as: JA4 before hashing, or the cause.
fn verdict(outcomes: &[Outcome]) -> Result<String, Cause> {
    match &outcomes.last().unwrap().result {
        Ok(hello) => Ok(hello.ja4_r()),
        Err(cause) => Err(*cause),
    }
}

#[test]
fn one_segment_is_enough() {
    let stream = hello_stream(5000);
    let outcomes = run(&[part(7, &stream, 0..stream.len())]);
    assert_eq!((outcomes.len(), verdict(&outcomes)), (1, Ok(RAW.into())));
    let hello = outcomes[0].result.as_ref().unwrap();
    assert_eq!(hello.sni.as_deref(), Some("a.example"));
    assert_eq!(hello.alpn.as_deref(), Some("h2"));
    assert_eq!(outcomes[0].segments, 1);
}

#[test]
fn every_strict_prefix_ends_without_a_fingerprint() {
    for record in [300, 5000] {
        let stream = hello_stream(record);
        for len in 1..stream.len() {
            let outcomes = run(&[part(7, &stream, 0..len)]);
            assert_eq!(verdict(&outcomes), Err(Cause::TimedOut), "{len} bytes");
        }
    }
}

#[test]
fn a_first_segment_of_one_byte_and_a_wrapping_sequence_are_no_obstacle() {
    let stream = hello_stream(5000);
    let segments = [
        part(u32::MAX - 9, &stream, 1200..stream.len()),
        part(u32::MAX - 9, &stream, 0..1),
        part(u32::MAX - 9, &stream, 1..1200),
    ];
    let outcomes = run(&segments);
    assert_eq!((verdict(&outcomes), outcomes[0].segments), (Ok(RAW.into()), 3));
}

#[test]
fn data_in_a_syn_follows_the_syn() {
    let stream = hello_stream(5000);
    let outcomes = run(&[made(8, tcp(7, 2, &stream), 0)]);
    assert_eq!(verdict(&outcomes), Ok(RAW.into()));
}

#[test]
fn a_retransmission_says_nothing_and_a_late_conflict_takes_the_fingerprint_back() {
    let stream = hello_stream(5000);
    let mut other = stream.clone();
    other[60] ^= 1;
    let whole = part(7, &stream, 0..stream.len());
    assert_eq!(run(&[whole.clone(), whole.clone()]).len(), 1);
    let outcomes = run(&[whole, part(7, &other, 0..stream.len())]);
    assert_eq!((outcomes.len(), verdict(&outcomes)), (2, Err(Cause::Conflict)));
}

#[test]
fn an_early_conflict_ends_it() {
    let stream = hello_stream(5000);
    let mut other = stream.clone();
    other[60] ^= 1;
    let segments = [
        part(7, &stream, 0..100),
        part(7, &other, 50..stream.len()),
        part(7, &stream, 100..stream.len()),
    ];
    let outcomes = run(&segments);
    assert_eq!((outcomes.len(), verdict(&outcomes)), (1, Err(Cause::Conflict)));
}

#[test]
fn garbage_in_front_of_a_hello_does_not_hide_it() {
    let stream = hello_stream(5000);
    let mut decoy = stream.clone();
    decoy[5] = 2;
    let segments =
        [part(7, &decoy, 0..5), part(7, &decoy, 5..90), part(7, &stream, 5..stream.len())];
    assert_eq!(verdict(&run(&segments)), Err(Cause::Conflict));
}

#[test]
fn a_bad_checksum_is_ignored_and_remembered() {
    let stream = hello_stream(5000);
    let mut bytes = tcp(7, 0x18, &stream);
    bytes[100] ^= 1;
    let bad = made(7, bytes, 0);
    assert_eq!(verdict(&run(std::slice::from_ref(&bad))), Err(Cause::BadChecksum));
    let whole = part(7, &stream, 0..stream.len());
    assert_eq!(verdict(&run(&[bad.clone(), whole.clone()])), Ok(RAW.into()));
    assert_eq!(run(&[whole, bad.clone()]).len(), 1);
    let behind = part(7, &stream, 1500..stream.len());
    assert_eq!(verdict(&run(&[behind, bad])), Err(Cause::BadChecksum));
}

#[test]
fn a_cut_segment_is_truncated_unless_the_rest_comes() {
    let stream = hello_stream(5000);
    let bytes = Bytes::from(tcp(7, 0x18, &stream)).slice(..200);
    let len = u32::try_from(stream.len()).unwrap() + 20;
    let cut = Segment::new(ADDRESSES, 7, &bytes, len).unwrap();
    assert_eq!(verdict(&run(std::slice::from_ref(&cut))), Err(Cause::Truncated));
    assert_eq!(verdict(&run(&[cut, part(7, &stream, 90..stream.len())])), Ok(RAW.into()));
}

#[test]
fn bytes_behind_a_hole_are_a_gap() {
    let stream = hello_stream(5000);
    let segments = [part(7, &stream, 0..100), part(7, &stream, 200..stream.len())];
    assert_eq!(verdict(&run(&segments)), Err(Cause::Gap));
    assert_eq!(verdict(&run(&segments[1..])), Err(Cause::Gap));
}

#[test]
fn too_many_segments_have_a_cause() {
    let stream = hello_stream(5000);
    let parts = |n: usize| -> Vec<Segment> {
        let len = stream.len().div_ceil(n);
        let starts = (0..stream.len()).step_by(len);
        starts.map(|at| part(7, &stream, at..stream.len().min(at + len))).collect()
    };
    assert_eq!(verdict(&run(&parts(60))), Ok(RAW.into()));
    assert_eq!(verdict(&run(&parts(70))), Err(Cause::TooManySegments));
}

#[test]
fn a_hello_times_out_and_what_still_comes_is_swallowed() {
    let stream = hello_stream(5000);
    let mut assembler = Assembler::new();
    assembler.handle_segment(&part(7, &stream, 0..100));
    assembler.expire(TIMEOUT_NS - 1);
    assert!(told(&mut assembler).is_empty());
    assembler.expire(TIMEOUT_NS);
    assert_eq!(verdict(&told(&mut assembler)), Err(Cause::TimedOut));
    assembler.handle_segment(&part(7, &stream, 100..stream.len()));
    assembler.finish();
    assert!(told(&mut assembler).is_empty());
}

#[test]
fn a_full_table_gives_up_the_oldest() {
    let stream = hello_stream(5000);
    let mut assembler = Assembler::new();
    for start in 0..=u32::try_from(MAX_PENDING).unwrap() {
        assembler.handle_segment(&part(start, &stream, 0..100));
    }
    let outcomes = told(&mut assembler);
    assert_eq!((outcomes.len(), verdict(&outcomes)), (1, Err(Cause::TableFull)));
    assert_eq!(outcomes[0].stream_start, 0);
}

#[test]
fn another_protocol_has_no_outcome() {
    let reply = [0x16, 3, 3, 0, 60, 2, 0, 0, 56];
    assert!(run(&[part(7, &reply, 0..9)]).is_empty());
    assert!(run(&[part(7, &reply, 0..1), part(7, &reply, 1..9)]).is_empty());
}

/// Cuts that tile the stream, then extra parts that overlap them, in any order.
fn cuts() -> impl Strategy<Value = (Vec<Index>, Vec<(Index, Index)>, Vec<Index>)> {
    let index = any::<Index>;
    (
        proptest::collection::vec(index(), 0..12),
        proptest::collection::vec((index(), index()), 0..12),
        proptest::collection::vec(index(), 40),
    )
}

fn parts(
    stream: &[u8],
    start: u32,
    (tiles, extra, order): &(Vec<Index>, Vec<(Index, Index)>, Vec<Index>),
) -> Vec<Segment> {
    let len = stream.len();
    let mut bounds: Vec<usize> = tiles.iter().map(|i| i.index(len)).collect();
    bounds.extend([0, len]);
    bounds.sort_unstable();
    let joined = bounds.windows(2).map(|pair| (pair[0], pair[1]));
    let extra = extra.iter().map(|(a, b)| (a.index(len), b.index(len)));
    let ranges: Vec<(usize, usize)> =
        joined.chain(extra.map(|(a, b)| (a.min(b), a.max(b)))).filter(|(a, b)| a < b).collect();
    let mut segments: Vec<Segment> =
        ranges.iter().map(|&(a, b)| part(start, stream, a..b)).collect();
    for (at, with) in (0..segments.len()).zip(order) {
        let with = with.index(segments.len());
        segments.swap(at, with);
    }
    segments
}

proptest! {
    #[test]
    fn any_segmentation_order_and_overlap_gives_the_same_fingerprint(
        cuts in cuts(), start: u32, record in 200_usize..2000,
    ) {
        let stream = hello_stream(record);
        let outcomes = run(&parts(&stream, start, &cuts));
        prop_assert_eq!(outcomes.len(), 1);
        prop_assert_eq!(verdict(&outcomes), Ok(RAW.into()));
    }

    #[test]
    fn a_changed_copy_never_leaves_a_wrong_fingerprint(
        cuts in cuts(), at: Index, bit in 0_u32..8, from: Index,
    ) {
        let stream = hello_stream(5000);
        let mut other = stream.clone();
        let at = at.index(stream.len());
        other[at] ^= 1 << bit;
        let mut segments = parts(&stream, 7, &cuts);
        let from = from.index(at + 1);
        segments.insert(cuts.2[0].index(segments.len()), part(7, &other, from..at + 1));
        let outcomes = run(&segments);
        prop_assert_eq!(verdict(&outcomes), Err(Cause::Conflict));
    }

    #[test]
    fn garbage_never_panics(
        parts in proptest::collection::vec(
            (0_u32..30_000, proptest::collection::vec(any::<u8>(), 1..600), 0_u32..900), 1..20,
        ),
        start: u32,
    ) {
        let mut assembler = Assembler::new();
        for (at, payload, more) in parts {
            let bytes = tcp(start.wrapping_add(at).wrapping_sub(100), 0x18, &payload);
            let len = u32::try_from(bytes.len()).unwrap() + more / 2;
            let segment = Segment::new(ADDRESSES, start, &bytes.into(), len).unwrap();
            assembler.handle_segment(&segment);
        }
        assembler.finish();
    }

    #[test]
    fn a_mutated_hello_has_a_fingerprint_or_none(at: Index, value: u8) {
        let mut stream = hello_stream(5000);
        let at = at.index(200);
        stream[at] = value;
        let _ = run(&[part(7, &stream, 0..stream.len())]);
        let _ = Fingerprint::of(&stream[5..]);
    }
}
