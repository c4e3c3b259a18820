//! Hellos of real programs, over QUIC.

use super::wire::crypto;
use super::*;
use crate::capture::{Engine, Frame, HostEngine};
use crate::fingerprint;
use pcap_file::pcap::PcapReader;
use proptest::prelude::*;
use proptest::sample::Index;
use std::fs::File;
use std::path::Path;
use std::sync::OnceLock;

/// The hellos in a capture of the corpus, as they were told over TCP.
pub(super) fn hellos(name: &str) -> Vec<fingerprint::Hello> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/hellos");
    let mut reader = PcapReader::new(File::open(folder.join(name)).unwrap()).unwrap();
    let mut engine = HostEngine::default();
    while let Some(packet) = reader.next_packet() {
        let bytes = packet.unwrap().data;
        let frame = Frame { bytes: &bytes, captured: bytes.len() };
        engine.handle_frame(frame, 0).unwrap();
    }
    std::iter::from_fn(|| engine.poll_outcome()).filter_map(|told| told.result.ok()).collect()
}

/// A hello of a browser, which takes two datagrams.
pub(super) fn chromium() -> fingerprint::Hello {
    static HELLO: OnceLock<fingerprint::Hello> = OnceLock::new();
    HELLO.get_or_init(|| hellos("chromium.pcap").swap_remove(0)).clone()
}

/// The same fingerprint with the other letter.
pub(super) fn over_quic(raw: &str) -> String {
    raw.replacen('t', "q", 1)
}

#[test]
fn any_hello_has_the_same_fingerprint_but_for_its_first_letter() {
    for name in ["chromium.pcap", "firefox-esr.pcap", "curl-openssl.pcap", "go-net-http.pcap"] {
        for version in [Version::V1, Version::V2] {
            for hello in hellos(name) {
                let outcomes = run(&Client::new(version).says_all(&hello.message));
                assert_eq!(outcomes.len(), 1, "{name}");
                let found = outcomes[0].result.as_ref().unwrap();
                assert_eq!(found.ja4_r(), over_quic(&hello.ja4_r()));
                let [known, seen] = [&hello, found].map(|hello| hello.fingerprint.ja4.parts());
                assert_eq!((&seen[0][1..], &seen[1..]), (&known[0][1..], &known[1..]));
                assert_eq!(found.fingerprint.ja3, hello.fingerprint.ja3);
                assert_eq!((&found.sni, &found.alpn), (&hello.sni, &hello.alpn));
                let datagrams = hello.message.len().div_ceil(1100);
                assert_eq!(usize::try_from(outcomes[0].datagrams).unwrap(), datagrams);
            }
        }
    }
}

/// CRYPTO frames that tile the message, then some that repeat parts of it, in any order,
/// and in how many packets they go.
type Scatter = (Vec<Index>, Vec<(Index, Index)>, Vec<Index>, usize);

fn scatter() -> impl Strategy<Value = Scatter> {
    let index = any::<Index>;
    (
        proptest::collection::vec(index(), 0..30),
        proptest::collection::vec((index(), index()), 0..8),
        proptest::collection::vec(index(), 40),
        1_usize..6,
    )
}

fn scattered(
    client: &Client,
    message: &[u8],
    (tiles, extra, order, packets): &Scatter,
) -> Vec<Datagram> {
    let len = message.len();
    let mut bounds: Vec<usize> = tiles.iter().map(|tile| tile.index(len)).collect();
    bounds.extend([0, len]);
    bounds.sort_unstable();
    let joined = bounds.windows(2).map(|pair| (pair[0], pair[1]));
    let extra = extra.iter().map(|(a, b)| (a.index(len), b.index(len)));
    let mut ranges: Vec<(usize, usize)> = joined
        .chain(extra.map(|(a, b)| (a.min(b), a.max(b))))
        .filter(|(start, end)| start < end)
        .collect();
    for (at, with) in (0..ranges.len()).zip(order) {
        let with = with.index(ranges.len());
        ranges.swap(at, with);
    }
    let each = ranges.len().div_ceil(*packets);
    let frames = |ranges: &[(usize, usize)]| -> Vec<u8> {
        // PING and PADDING lie between, as Chromium puts them.
        let frame =
            |&(a, b): &(usize, usize)| [&[1, 0, 0][..], &crypto(a, &message[a..b])].concat();
        ranges.iter().flat_map(frame).collect()
    };
    let numbered = (0..).zip(ranges.chunks(each));
    numbered.map(|(number, ranges)| client.says(number, &frames(ranges))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_scatter_of_frames_gives_the_same_fingerprint(
        scatter in scatter(), twice: bool, v2: bool,
    ) {
        let hello = chromium();
        let client = Client::new(if v2 { Version::V2 } else { Version::V1 });
        let mut datagrams = scattered(&client, &hello.message, &scatter);
        if twice {
            datagrams.extend(datagrams.clone());
        }
        let outcomes = run(&datagrams);
        prop_assert_eq!(outcomes.len(), 1);
        prop_assert_eq!(verdict(&outcomes), Ok(over_quic(&hello.ja4_r())));
    }

    #[test]
    fn a_changed_copy_never_leaves_a_wrong_fingerprint(
        scatter in scatter(), at: Index, bit in 0_u32..8, place: Index,
    ) {
        let hello = chromium();
        let client = Client::new(Version::V1);
        let mut datagrams = scattered(&client, &hello.message, &scatter);
        let at = at.index(hello.message.len());
        let changed = [hello.message[at] ^ 1 << bit];
        let place = place.index(datagrams.len() + 1);
        datagrams.insert(place, client.says(99, &crypto(at, &changed)));
        let outcomes = run(&datagrams);
        // Another first byte is no hello, another length may be too much of one.
        let expected = if at < 4 && verdict(&outcomes) != Err(Cause::Conflict) {
            prop_assert!(verdict(&outcomes).is_err());
            return Ok(());
        } else {
            Err(Cause::Conflict)
        };
        prop_assert_eq!(verdict(&outcomes), expected);
    }
}
