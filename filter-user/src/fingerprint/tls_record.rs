//! The handshake message in the TLS records at the start of a stream.

use super::outcome::Cause;
use bytes::Bytes;
use filter_common::abi::hello::{self as abi, HELLO_WINDOW};
use filter_common::hello::{START_LEN, hello_len};
use filter_common::wire::client_hello::HANDSHAKE_HEADER_LEN;

/// TLS records that a hello may be split over.
///
/// One more is [`Cause::TooManyRecords`]. Ordinary clients use one.
pub const MAX_RECORDS: usize = abi::MAX_RECORDS as usize;

const RECORD_HEADER_LEN: usize = 5;
const MESSAGE_HEADER_LEN: usize = 4;
const HANDSHAKE_RECORD: u8 = 0x16;
const CLIENT_HELLO: u8 = 1;
/// RFC 8446 section 5.1, and what RFC 5246 allows a record to grow by.
const MAX_RECORD_LEN: usize = (1 << 14) + 2048;

/// How far the message is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing new can be said before this many bytes of the stream are there.
    Need(usize),
    /// It is there, and ends at this position of the stream.
    Whole(Bytes, usize),
    /// This is no ClientHello.
    Other,
    /// It is one and can't be read.
    Failed(Cause),
}

/// Reads the start of a stream.
///
/// *Source*: RFC 8446 section 5.1: a message may be split over records, without other
/// records between them and without empty ones.
pub(super) fn read(stream: &[u8]) -> Progress {
    if !may_be_hello(stream) {
        return Progress::Other;
    }
    let mut message = Vec::new();
    let mut at = 0;
    for _ in 0..MAX_RECORDS {
        let Some(header) = stream.get(at..at + RECORD_HEADER_LEN) else {
            return need(stream.len() + 1, &message);
        };
        let Some(len) = record_len(header) else {
            return failed(Cause::Malformed, &message);
        };
        let body = at + RECORD_HEADER_LEN;
        at = body + len;
        let present = stream.len().min(at);
        let before = message.len();
        message.extend_from_slice(&stream[body..present]);
        let Some(whole) = whole_len(&message) else {
            return Progress::Other;
        };
        if message.len() >= whole {
            message.truncate(whole);
            return Progress::Whole(message.into(), body + whole - before);
        }
        let end = body + whole - before;
        if too_long(end) {
            return failed(Cause::TooLong, &message);
        }
        if present < at {
            return need(at.min(end), &message);
        }
    }
    failed(Cause::TooManyRecords, &message)
}

/// Whether the bytes, however few, can start a ClientHello.
fn may_be_hello(stream: &[u8]) -> bool {
    let mut start = [0; START_LEN];
    start.iter_mut().zip(stream).for_each(|(into, byte)| *into = *byte);
    let len = stream.len().min(START_LEN);
    u32::try_from(len).is_ok_and(|len| hello_len(&start, len) != 0)
}

/// The length in a record's header, if it is a handshake record's.
fn record_len(header: &[u8]) -> Option<usize> {
    let &[kind, major, _, high, low] = header else {
        return None;
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    let fits = kind == HANDSHAKE_RECORD && major == 3 && (1..=MAX_RECORD_LEN).contains(&len);
    fits.then_some(len)
}

/// How long the message is; until that is known, as long as its header. `None` if it is
/// another message than a ClientHello.
fn whole_len(message: &[u8]) -> Option<usize> {
    match *message {
        [kind, ..] if kind != CLIENT_HELLO => None,
        [_, a, b, c, ..] => {
            let body = u32::from_be_bytes([0, a, b, c]);
            usize::try_from(body + HANDSHAKE_HEADER_LEN).ok()
        }
        _ => Some(MESSAGE_HEADER_LEN + 1),
    }
}

fn too_long(stream_len: usize) -> bool {
    u32::try_from(stream_len).is_ok_and(|len| len > HELLO_WINDOW)
}

/// Asks for more of the stream, if there is room for it.
fn need(stream_len: usize, message: &[u8]) -> Progress {
    if too_long(stream_len) {
        return failed(Cause::TooLong, message);
    }
    Progress::Need(stream_len)
}

/// Gives up on a hello. One byte in 256 of an encrypted record looks like a hello's
/// first; its version doesn't.
fn failed(cause: Cause, message: &[u8]) -> Progress {
    match message.get(4..6) {
        Some(&[3, _] | &[0, 2]) | None => Progress::Failed(cause),
        Some(_) => Progress::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of `len` bytes in records of at most `record` bytes.
    fn stream(len: usize, record: usize) -> Vec<u8> {
        let body = u32::try_from(len - 4).unwrap().to_be_bytes();
        let mut message = vec![1, body[1], body[2], body[3], 3, 3];
        message.resize(len, 7);
        let records = message.chunks(record).map(|chunk| {
            let len = u16::try_from(chunk.len()).unwrap().to_be_bytes();
            [&[0x16, 3, 1][..], &len, chunk].concat()
        });
        records.flatten().collect()
    }

    #[test]
    fn every_strict_prefix_needs_more_and_never_too_much() {
        for record in [1, 2, 5, 40] {
            let bytes = stream(40, record);
            for len in 0..bytes.len() {
                let Progress::Need(need) = read(&bytes[..len]) else {
                    assert_eq!(len, 0, "{:?}", read(&bytes[..len]));
                    continue;
                };
                assert!(need > len && need <= bytes.len(), "{len} of {record}: {need}");
            }
            let Progress::Whole(message, end) = read(&bytes) else {
                unreachable!("{:?}", read(&bytes));
            };
            assert_eq!((message.len(), end), (40, bytes.len()));
        }
    }

    #[test]
    fn what_lies_behind_the_message_is_left_alone() {
        let bytes = [stream(40, 40), vec![0x17; 9]].concat();
        assert!(matches!(read(&bytes), Progress::Whole(_, 45)));
    }

    #[test]
    fn a_record_of_another_kind_within_is_malformed() {
        let mut bytes = stream(40, 20);
        bytes[25] = 0x15;
        assert_eq!(read(&bytes), Progress::Failed(Cause::Malformed));
    }

    #[test]
    fn another_message_or_protocol_is_none_of_ours() {
        for bytes in [&b"GET / HTTP/1.1"[..], &[0x16, 3, 3, 0, 60, 2], &[0x80, 46, 1, 3, 1]] {
            assert_eq!(read(bytes), Progress::Other);
        }
    }

    #[test]
    fn a_record_more_than_allowed_is_too_many() {
        assert!(matches!(read(&stream(64, 1)), Progress::Whole(..)));
        assert_eq!(read(&stream(65, 1)), Progress::Failed(Cause::TooManyRecords));
    }

    #[test]
    fn what_outgrows_the_window_is_too_long() {
        let bytes = stream(16_394, 10_000);
        assert_eq!(read(&bytes[..100]), Progress::Failed(Cause::TooLong));
        assert!(matches!(read(&stream(16_364, 10_000)), Progress::Whole(..)));
    }
}
