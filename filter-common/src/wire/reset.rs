//! A TCP reset in the place of a segment: the local stack frees the socket at once, instead
//! of holding a half-open connection until it times out.
//!
//! *Source*: RFC 9293 section 3.5.3; RFC 5961 section 3.2: a reset counts if its sequence
//! number is the next one, which an in-order segment's is.

use super::address::Address;
use super::frame::Frame;

/// Bytes of the reset's TCP header, which is all of it.
pub const RESET_LEN: u32 = 20;

const IPV6_LEN: u32 = 40;
/// Five words of header, and RST.
const OFFSET_AND_FLAGS: u32 = 0x5004_0000;
const TCP: u32 = 6;

/// The TCP header that takes a segment's place: five words, to be written in network order.
#[inline(always)]
#[must_use]
pub fn header(frame: &Frame) -> [u32; 5] {
    let tcp = &frame.tcp;
    let sequence = sequence(frame);
    let ports = u32::from(tcp.source_port) << 16 | u32::from(tcp.destination_port);
    let sum = halves(ports)
        + halves(sequence)
        + halves(OFFSET_AND_FLAGS)
        + pseudo_header(frame, RESET_LEN);
    [ports, sequence, 0, OFFSET_AND_FLAGS, (folded(sum) ^ 0xffff) << 16]
}

/// The reset's own number: the segment's, or what the socket waits for, if that is in the
/// middle of the segment. (Segments of the same batch of packets, which it hasn't seen, are in
/// front of this one.)
#[inline(always)]
const fn sequence(frame: &Frame) -> u32 {
    let (sequence, next) = (frame.tcp.sequence, frame.received.next);
    let is_inside = next.wrapping_sub(sequence) < frame.tcp.payload_len();
    if frame.has_socket() && is_inside { next } else { sequence }
}

/// What the IP header says its packet's length is: all of it in IPv4, what is behind the
/// fixed header in IPv6.
#[inline(always)]
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "headers and twenty bytes")]
pub fn claimed_len(frame: &Frame) -> u16 {
    let len = frame.tcp.offset.wrapping_sub(u32::from(frame.network_offset)) + RESET_LEN;
    (if frame.version == 6 { len.wrapping_sub(IPV6_LEN) } else { len }) as u16
}

/// An IPv4 header's checksum after one of its words has changed (RFC 1624, equation 3).
#[inline(always)]
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "it was folded into 16 bits")]
pub fn updated(checksum: u16, before: u16, after: u16) -> u16 {
    let sum = u32::from(!checksum) + u32::from(!before) + u32::from(after);
    !(folded(u64::from(sum)) as u16)
}

/// The sum of the header that TCP's checksum takes for granted, of a segment of `len` bytes
/// between the frame's addresses.
#[inline(always)]
#[must_use]
pub fn pseudo_header(frame: &Frame, len: u32) -> u64 {
    let is_v6 = frame.version == 6;
    sum_of(&frame.source, is_v6)
        + sum_of(&frame.destination, is_v6)
        + u64::from(TCP)
        + u64::from(len)
}

#[inline(always)]
fn sum_of(address: &Address, is_v6: bool) -> u64 {
    let tail = halves(address.tail());
    if !is_v6 {
        return tail;
    }
    let quarter = |word: u64, shift: u32| word >> shift & 0xffff;
    let Address { high, low } = *address;
    tail + quarter(high, 48)
        + quarter(high, 32)
        + quarter(high, 16)
        + quarter(high, 0)
        + quarter(low, 48)
        + quarter(low, 32)
}

#[inline(always)]
const fn halves(word: u32) -> u64 {
    (word >> 16) as u64 + (word & 0xffff) as u64
}

/// A sum of few words, with its carries added in.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "16 bits are left")]
const fn folded(sum: u64) -> u32 {
    let sum = (sum >> 16) + (sum & 0xffff);
    ((sum >> 16) + (sum & 0xffff)) as u32
}

#[cfg(test)]
mod tests;
