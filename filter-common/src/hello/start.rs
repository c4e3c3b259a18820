//! Where a ClientHello starts.

use crate::abi::hello::HELLO_WINDOW;
use crate::wire::client_hello::HANDSHAKE_HEADER_LEN;
use crate::wire::cursor::{Packet, room};
use crate::wire::frame::Frame;

/// Bytes that tell a ClientHello: a TLS record header and a handshake header.
pub const START_LEN: usize = 9;

/// Bytes of a TLS record's header.
pub const RECORD_HEADER_LEN: u32 = 5;
const CHANGE_CIPHER_SPEC_LEN: u32 = 6;
pub(super) const HANDSHAKE_RECORD: u8 = 0x16;
pub(super) const CLIENT_HELLO: u8 = 1;
/// RFC 8446 section 5.1, and what RFC 5246 allows a record to grow by.
pub(super) const MAX_RECORD_LEN: u32 = (1 << 14) + 2048;

/// Bytes of the stream that a ClientHello takes which starts with these bytes.
///
/// *Shape*: `len` bytes count, at most [`START_LEN`]. Zero: this is no ClientHello.
/// [`HELLO_WINDOW`]: it could be one and is too short to tell, or it is split over
/// several TLS records, or it is longer than that.
#[inline(always)]
#[must_use]
pub fn hello_len(bytes: &[u8; START_LEN], len: u32) -> u32 {
    let record_len = u32::from(bytes[3]) << 8 | u32::from(bytes[4]);
    let wrong = len == 0
        || bytes[0] != HANDSHAKE_RECORD
        || (len > 1 && bytes[1] != 3)
        || (len > 4 && (record_len == 0 || record_len > MAX_RECORD_LEN))
        || (len > 5 && bytes[5] != CLIENT_HELLO);
    if wrong {
        return 0;
    }
    let body_len = u32::from(bytes[6]) << 16 | u32::from(bytes[7]) << 8 | u32::from(bytes[8]);
    let message_len = HANDSHAKE_HEADER_LEN + body_len;
    if len < 9 || message_len > record_len {
        return HELLO_WINDOW;
    }
    RECORD_HEADER_LEN + message_len
}

/// Where a ClientHello starts in a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Start {
    /// Bytes of the payload in front of it.
    pub skipped: u16,
    /// Its length as [`hello_len`] says it; zero if there is none.
    pub len: u16,
}

/// Finds a hello at the start of a segment's payload.
///
/// In front of its second hello, after a HelloRetryRequest, a client may put a
/// ChangeCipherSpec record, which says nothing (RFC 8446 appendix D.4).
#[inline(always)]
pub fn find<P: Packet>(packet: &P, frame: &Frame) -> Start {
    let (tcp, len) = (&frame.tcp, frame.tcp.payload_len());
    if tcp.fragment || len == 0 {
        return Start::default();
    }
    let offset = tcp.offset + u32::from(tcp.header_len);
    let mut bytes = room();
    if !packet.peek(offset, min_start(len), &mut bytes) {
        return Start::default();
    }
    let mut skipped = 0;
    if len > CHANGE_CIPHER_SPEC_LEN && is_change_cipher_spec(&bytes) {
        skipped = CHANGE_CIPHER_SPEC_LEN;
        if !packet.peek(offset + skipped, min_start(len - skipped), &mut bytes) {
            return Start::default();
        }
    }
    let hello = hello_len(&bytes, min_start(len - skipped));
    Start { skipped: short(skipped), len: short(hello) }
}

/// Neither a length of a window nor one of a record is longer.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "as said")]
const fn short(len: u32) -> u16 {
    len as u16
}

#[inline(always)]
const fn min_start(len: u32) -> u32 {
    if len > 9 { 9 } else { len }
}

#[inline(always)]
const fn is_change_cipher_spec(bytes: &[u8; START_LEN]) -> bool {
    let [kind, major, minor, len_high, len_low, content, ..] = *bytes;
    kind == 0x14 && major == 3 && minor <= 4 && len_high == 0 && len_low == 1 && content == 1
}
