//! Which segments may hold a piece of a ClientHello.
//!
//! A browser's ClientHello takes two segments, so looking at single packets would miss
//! it. The program keeps, for each new connection, the window of sequence numbers in
//! which the hello may lie, and selects the segments that touch it. Putting them together is
//! the work of whoever receives them.

use crate::abi::flow::FlowSlot;
use crate::abi::record::HELLO_WINDOW;
use crate::decide::Tables;
use crate::hash::mix;
use crate::wire::address::Address;
use crate::wire::client_hello::HANDSHAKE_HEADER_LEN;
use crate::wire::cursor::Packet;
use crate::wire::frame::Frame;

/// Bytes that tell a ClientHello: a TLS record header and a handshake header.
pub const START_LEN: usize = 9;

const RECORD_HEADER_LEN: u32 = 5;
const CHANGE_CIPHER_SPEC_LEN: u32 = 6;
const HANDSHAKE_RECORD: u8 = 0x16;
const CLIENT_HELLO: u8 = 1;
/// RFC 8446 section 5.1, and what RFC 5246 allows a record to grow by.
const MAX_RECORD_LEN: u32 = (1 << 14) + 2048;

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
        || (len > 2 && bytes[2] > 4)
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
    pub skipped: u32,
    /// Its length as [`hello_len`] says it; zero if there is none.
    pub len: u32,
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
    let mut bytes = [0; START_LEN];
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
    Start { skipped, len: hello_len(&bytes, min_start(len - skipped)) }
}

/// Records a TCP segment if it belongs to a hello. Opens, narrows and closes the flow's
/// window on the way.
///
/// *Concurrency*: the slot is a hint; see [`FlowSlot`].
#[inline(always)]
pub fn observe<T: Tables>(tables: &T, secret: u64, frame: &Frame) {
    let tcp = &frame.tcp;
    let payload_len = tcp.payload_len();
    let opens = tcp.flags.opens();
    if tcp.fragment || (payload_len == 0 && !opens) {
        return;
    }
    let hash = flow_hash(secret, frame);
    let Some(slot) = tables.flow(hash) else {
        return;
    };
    let tag = tag_of(hash);
    let mut window = slot.load();
    let mut first = tcp.sequence;
    if opens {
        // The SYN takes a sequence number of its own; TCP Fast Open's data follows it.
        first = first.wrapping_add(1);
        window = FlowSlot::window(tag, first, HELLO_WINDOW);
        slot.store(window);
    }
    if payload_len == 0 {
        return;
    }
    let inside = window.tag == tag && touches(&window, first, payload_len);
    if !inside || first == window.start {
        let Start { skipped, len } = frame.hello;
        if len == 0 {
            if inside {
                slot.store(FlowSlot::default());
            }
            return;
        }
        window = FlowSlot::window(tag, first.wrapping_add(skipped), len);
        slot.store(window);
    }
    tables.record(frame, window.start);
}

/// A flow's slot, wherever it lies.
pub trait FlowRef {
    /// What it holds.
    fn load(&self) -> FlowSlot;
    /// Replaces it.
    fn store(&self, slot: FlowSlot);
}

/// Whether any of the bytes lie in the window. Sequence numbers wrap, so positions are
/// compared by their distance from the window's start.
#[inline(always)]
fn touches(window: &FlowSlot, first: u32, len: u32) -> bool {
    let width = window.end.wrapping_sub(window.start);
    let from = first.wrapping_sub(window.start);
    let before = window.start.wrapping_sub(first);
    from < width || (before < len && before != 0)
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

/// Mixes a four-tuple with the host's secret.
#[inline(always)]
fn flow_hash(secret: u64, frame: &Frame) -> u64 {
    let tcp = &frame.tcp;
    let ports = u64::from(tcp.source_port) << 16 | u64::from(tcp.destination_port);
    let hash = mix(mix_address(secret, &frame.source), ports);
    mix_address(hash, &frame.destination)
}

#[inline(always)]
const fn mix_address(hash: u64, address: &Address) -> u64 {
    mix(mix(hash, address.high), address.low)
}

/// The half of the hash that the slot's index leaves alone, never zero.
#[inline(always)]
fn tag_of(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_be_bytes();
    u32::from_be_bytes([a, b, c, d]) | 1
}

#[cfg(test)]
mod tests;
