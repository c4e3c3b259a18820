//! Bytes of any kind.

use super::hello::chromium;
use super::wire::crypto;
use super::*;
use proptest::prelude::*;
use proptest::sample::Index;

proptest! {
    #[test]
    fn any_bytes_are_ignored(
        payload in proptest::collection::vec(any::<u8>(), 0..1400), more in 0_usize..3000,
    ) {
        let datagram = Client::new(Version::V1).datagram(payload);
        let payload_len = datagram.payload_len + more;
        let outcomes = run(&[Datagram { payload_len, ..datagram }]);
        prop_assert!(outcomes.is_empty());
    }

    #[test]
    fn any_bytes_behind_a_long_header_have_no_fingerprint(
        first in 0x80_u8.., v2: bool, name in proptest::collection::vec(any::<u8>(), 0..22),
        rest in proptest::collection::vec(any::<u8>(), 0..1400), more in 0_usize..3000,
    ) {
        let version = if v2 { Version::V2 } else { Version::V1 };
        let head = [&[first][..], &version.number().to_be_bytes()].concat();
        let len = u8::try_from(name.len()).unwrap();
        let payload = [&head[..], &[len], &name, &[0], &rest].concat();
        let datagram = Client::new(version).datagram(payload);
        let payload_len = datagram.payload_len + more;
        let outcomes = run(&[Datagram { payload_len, ..datagram }]);
        let truncated = outcomes.iter().all(|told| told.result == Err(Cause::Truncated));
        prop_assert!(truncated);
    }

    #[test]
    fn a_packet_that_was_changed_is_no_packet(at: Index, bit in 0_u32..8) {
        let message = chromium().message;
        let client = Client::new(Version::V1);
        let mut bytes = client.initial(0, &crypto(0, &message[..1000]), 1200);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let outcomes = run(&[client.datagram(bytes)]);
        prop_assert!(outcomes.is_empty());
    }

    #[test]
    fn any_frames_have_an_outcome_or_none(
        frames in proptest::collection::vec(any::<u8>(), 0..1200),
        kinds in proptest::collection::vec(0_usize..7, 0..200),
    ) {
        let client = Client::new(Version::V2);
        // Bytes that are likelier to be frames.
        let likely: Vec<u8> = kinds
            .iter()
            .zip(frames.chunks(3))
            .flat_map(|(kind, rest)| [&[[0, 1, 2, 3, 6, 6, 0x1c][*kind]][..], rest].concat())
            .collect();
        for frames in [&frames, &likely, &[crypto(0, &[1, 0, 1]), likely.clone()].concat()] {
            let mut assembler = Assembler::new();
            for number in 0..3 {
                assembler.handle_datagram(&client.says(number, frames));
            }
            assembler.finish();
            let outcomes = told(&mut assembler);
            prop_assert!(outcomes.iter().all(|outcome| outcome.result.is_err()));
        }
    }
}
