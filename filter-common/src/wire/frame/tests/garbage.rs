use super::*;
use proptest::prelude::*;

#[test]
fn every_strict_prefix_says_that_something_is_missing() {
    for (description, frame) in wrapped() {
        for len in 0..frame.len() {
            let reason = parsed(&frame[..len]).reason;
            let missing = [Reason::TRUNCATED, Reason::IP_LENGTH].contains(&reason);
            assert!(missing, "{description}, {len} bytes: {}", reason.name());
        }
    }
}

/// What holds for every frame, however broken.
fn assert_inside(frame: &[u8]) {
    let found = parsed(frame);
    if found.kind == Kind::Tcp {
        let end = found.tcp.offset + found.tcp.len;
        assert!(usize::try_from(end).unwrap() <= frame.len(), "{found:?}");
        assert!(u32::from(found.tcp.header_len) <= found.tcp.len, "{found:?}");
    } else if found.kind == Kind::Unaddressed {
        assert_ne!(found.reason, Reason::NO_RULE);
    }
}

proptest! {
    #[test]
    fn garbage_is_never_read_past_its_end(frame in proptest::collection::vec(any::<u8>(), 0..300)) {
        assert_inside(&frame);
    }

    #[test]
    fn mutated_frames_are_never_read_past_their_end(
        which: prop::sample::Index, len: prop::sample::Index,
        changes in proptest::collection::vec((12_usize..110, any::<u8>()), 0..6),
    ) {
        let frames = wrapped();
        let mut frame = frames[which.index(frames.len())].1.clone();
        for (at, value) in changes {
            if let Some(byte) = frame.get_mut(at) {
                *byte = value;
            }
        }
        assert_inside(&frame);
        assert_inside(&frame[..len.index(frame.len())]);
    }
}
