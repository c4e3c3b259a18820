//! A UDP datagram on its way into the assembler.

use super::version::Version;
use crate::fingerprint::Flow;
use bytes::Bytes;

/// A datagram that may hold Initial packets.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// Who sent it to whom.
    pub flow: Flow,
    /// As much of its payload as there is.
    pub payload: Bytes,
    /// Bytes of payload as the UDP header counts them. If there are fewer, the capture
    /// cut the datagram.
    pub payload_len: usize,
    /// When it came, in nanoseconds of any clock that doesn't step back.
    pub time_ns: u64,
}

/// Whether a payload starts with a long header of a known version, so that it is worth
/// being handed to the [`Assembler`](super::Assembler).
///
/// *Source*: RFC 8999 section 5.1.
#[must_use]
pub fn may_hold_initial(payload: &[u8]) -> bool {
    let Some(&[first, a, b, c, d]) = payload.first_chunk() else {
        return false;
    };
    first & LONG_HEADER != 0 && Version::from_number(u32::from_be_bytes([a, b, c, d])).is_some()
}

/// The bit that tells a long header from a short one.
pub(super) const LONG_HEADER: u8 = 0x80;
