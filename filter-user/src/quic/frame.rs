//! The frames of an Initial packet.

use super::reader::Reader;
use bytes::Bytes;

/// A piece of the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Crypto {
    /// Where it lies in the handshake.
    pub(super) offset: u64,
    pub(super) bytes: Bytes,
}

/// A frame that may be there.
#[derive(Debug)]
enum Frame {
    Crypto(Crypto),
    Other,
}

/// A payload that no client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

const PADDING: u64 = 0x00;
const PING: u64 = 0x01;
const ACK: u64 = 0x02;
const ACK_ECN: u64 = 0x03;
const CRYPTO: u64 = 0x06;
const CONNECTION_CLOSE: u64 = 0x1c;

/// The CRYPTO frames of an Initial packet's payload.
///
/// *Shape*: the other frames that are allowed are passed over. An error is the last item.
///
/// *Source*: RFC 9000 sections 12.4, 17.2.2 and 19.
#[derive(Debug)]
pub(super) struct Frames<'a> {
    payload: &'a Bytes,
    reader: Reader<'a>,
    failed: bool,
}

impl<'a> Frames<'a> {
    pub(super) fn of(payload: &'a Bytes) -> Self {
        Self { payload, reader: Reader::new(payload), failed: false }
    }

    /// Reads a frame; `None` if it can't be read.
    fn frame(&mut self) -> Option<Frame> {
        let reader = &mut self.reader;
        match reader.varint()? {
            PADDING => reader.skip_zeroes(),
            PING => {}
            kind @ (ACK | ACK_ECN) => skip_ack(reader, kind == ACK_ECN)?,
            CRYPTO => return self.crypto().map(Frame::Crypto),
            CONNECTION_CLOSE => skip_close(reader)?,
            _ => return None,
        }
        Some(Frame::Other)
    }

    fn crypto(&mut self) -> Option<Crypto> {
        let offset = self.reader.varint()?;
        let len = self.reader.len()?;
        let start = self.reader.at();
        self.reader.take(len)?;
        Some(Crypto { offset, bytes: self.payload.slice(start..start + len) })
    }
}

impl Iterator for Frames<'_> {
    type Item = Result<Crypto, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed && !self.reader.is_empty() {
            match self.frame() {
                Some(Frame::Crypto(crypto)) => return Some(Ok(crypto)),
                Some(Frame::Other) => {}
                None => {
                    self.failed = true;
                    return Some(Err(Malformed));
                }
            }
        }
        None
    }
}

/// *Source*: RFC 9000 section 19.3.
fn skip_ack(reader: &mut Reader<'_>, ecn: bool) -> Option<()> {
    let [_largest, _delay] = [reader.varint()?, reader.varint()?];
    let ranges = reader.varint()?;
    reader.varint()?;
    // A count of more than there are bytes ends at the end of them.
    for _ in 0..ranges {
        let [_gap, _len] = [reader.varint()?, reader.varint()?];
    }
    for _ in 0..if ecn { 3 } else { 0 } {
        reader.varint()?;
    }
    Some(())
}

/// *Source*: RFC 9000 section 19.19.
fn skip_close(reader: &mut Reader<'_>) -> Option<()> {
    let [_error, _frame] = [reader.varint()?, reader.varint()?];
    let reason = reader.len()?;
    reader.take(reason).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[u8] = b"\0\0\0\x01\x02\x05\x00\x01\x01\x00\x00\x03\x05\x00\x00\x01\x01\x02\x03\
        \x06\x02\x03abc\x00\x06\x40\x00\x01x\x1c\x0a\x06\x02no\x00";

    fn read(payload: &[u8]) -> Vec<Result<Crypto, Malformed>> {
        Frames::of(&Bytes::copy_from_slice(payload)).collect()
    }

    fn crypto(offset: u64, bytes: &'static [u8]) -> Crypto {
        Crypto { offset, bytes: Bytes::from_static(bytes) }
    }

    #[test]
    fn crypto_is_found_among_all_that_is_allowed() {
        assert_eq!(read(ALL), [Ok(crypto(2, b"abc")), Ok(crypto(0, b"x"))]);
        assert_eq!(read(&[0; 900]), []);
    }

    #[test]
    fn a_cut_payload_has_no_more_frames_than_the_whole() {
        for len in 0..ALL.len() {
            let found = read(&ALL[..len]);
            let good = found.iter().take_while(|found| found.is_ok()).count();
            assert_eq!(found[..good], read(ALL)[..good]);
            assert!(found.len() <= good + 1, "an error is the last");
        }
    }

    #[test]
    fn what_no_initial_may_hold_is_malformed() {
        for kind in [0x04, 0x05, 0x07, 0x08, 0x18, 0x1d, 0x1e, 0x30] {
            assert_eq!(read(&[1, kind, 0, 0, 0, 0]), [Err(Malformed)], "frame {kind:#x}");
        }
    }

    #[test]
    fn an_ack_of_endless_ranges_ends_with_the_bytes() {
        let many = [0x02, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
        assert_eq!(read(&many), [Err(Malformed)]);
    }
}
