//! What a TCP segment brings to its packet.

use std::vec;
use std::vec::Vec;

/// A TCP segment's own part.
///
/// *Shape*: options are filled up with zeroes to a word of four bytes, and cut at 40.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Source and destination port.
    pub ports: (u16, u16),
    /// Sequence number.
    pub sequence: u32,
    /// Control bits.
    pub flags: u8,
    /// Options.
    pub options: &'a [u8],
    /// Payload.
    pub payload: &'a [u8],
}

/// TCP control bits that ask for a connection.
pub const SYN: u8 = 0x02;
/// TCP control bits of a segment of an open connection.
pub const ACK: u8 = 0x10;
/// TCP control bits of an answer to a [`SYN`].
pub const SYN_ACK: u8 = 0x12;

impl Segment<'_> {
    /// The first packet of a connection.
    #[must_use]
    pub const fn syn(ports: (u16, u16), sequence: u32) -> Self {
        Self { ports, sequence, flags: SYN, options: &[], payload: &[] }
    }
}

impl<'a> Segment<'a> {
    /// Data on an open connection.
    #[must_use]
    pub const fn data(ports: (u16, u16), sequence: u32, payload: &'a [u8]) -> Self {
        Self { ports, sequence, flags: ACK, options: &[], payload }
    }
}

impl Segment<'_> {
    /// Header, options and payload; the checksum is still zero.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut options = self.options.to_vec();
        options.resize(self.options.len().next_multiple_of(4).min(40), 0);
        let words = u8::try_from(5 + options.len() / 4).unwrap_or(15);
        let mut bytes = vec![];
        bytes.extend(self.ports.0.to_be_bytes());
        bytes.extend(self.ports.1.to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend([0, 0, 0, 0, words << 4, self.flags, 0xff, 0xff, 0, 0, 0, 0]);
        bytes.extend(options);
        bytes.extend(self.payload);
        bytes
    }
}
