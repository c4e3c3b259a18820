//! A frame, as far as the filter reads it.

mod parse;

pub use parse::parse;

use super::address::Address;
use super::header::TcpFlags;
use crate::abi::address::AddressClass;
use crate::abi::assert_layout;
use crate::abi::counter::Reason;

/// A frame, as far as it could be read.
///
/// *Shape*: 72 bytes without padding. [`Frame::kind`] says which fields have a meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Frame {
    /// Who sent it, or claims to.
    pub source: Address,
    /// Whom it is for.
    pub destination: Address,
    /// The segment, if it is [`Kind::Tcp`].
    pub tcp: Tcp,
    /// What is known of it.
    pub kind: Kind,
    /// What to count it under if no rule says anything: why it could not be read
    /// further, or [`Reason::NO_RULE`].
    pub reason: Reason,
    /// The first rule that would have dropped it, had it been enforced, or
    /// [`Reason::NO_RULE`]. It stands here so that the verifier forgets it as well.
    pub shadowed: Reason,
    reserved: u8,
    /// What the address policy says of it. It stands here for the same reason.
    pub class: AddressClass,
    /// The list that dropped it or would have, by its number; zero if none did.
    pub refused_by: u16,
    reserved_too: u16,
    /// Room for a number that the verifier shall forget.
    pub scratch: u64,
}

assert_layout!(
    Frame, size 72, align 8, destination at 16, tcp at 32, kind at 52, reason at 53, class at 56,
    refused_by at 60
);

/// What is known of a frame, and so which of its fields count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Nothing, not even its addresses.
    #[default]
    Unaddressed,
    /// Its addresses, so that an address policy can't be walked around by a bad header
    /// behind them.
    Addressed,
    /// IPv6 neighbour discovery from the link itself.
    Neighbour,
    /// Its addresses and a TCP segment, in a whole packet or a first fragment.
    Tcp,
}

/// A TCP segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Tcp {
    /// Sequence number.
    pub sequence: u32,
    /// Where the TCP header starts in the frame.
    pub offset: u32,
    /// Bytes of header and payload.
    pub len: u32,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Control bits.
    pub flags: TcpFlags,
    /// Bytes of TCP header and options.
    pub header_len: u8,
    /// Whether the rest of the segment comes in other fragments.
    pub fragment: bool,
    reserved: u8,
}

assert_layout!(Tcp, size 20, align 4, len at 8, flags at 16, fragment at 18);

impl Tcp {
    /// Bytes of payload.
    #[inline(always)]
    #[must_use]
    pub const fn payload_len(&self) -> u32 {
        self.len.wrapping_sub(self.header_len as u32)
    }
}

#[cfg(test)]
mod tests;
