//! A frame, as far as the filter reads it.

mod parse;

pub use parse::parse;

use super::address::Address;
use super::header::TcpFlags;
use crate::abi::address::AddressClass;
use crate::abi::assert_layout;
use crate::abi::counter::{Reason, Verdict};
use crate::abi::limit::Plan;
use crate::hello::{Received, Start};

/// A frame, as far as it could be read.
///
/// *Shape*: 176 bytes without padding. [`Frame::kind`] says which fields have a meaning.
/// What [`parse`] clears lies in pairs at most: of more together LLVM makes a call, and a
/// loop over bytes.
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
    /// Where its IP header starts in the frame.
    pub network_offset: u8,
    /// The first rule that would have dropped it, had it been enforced, or
    /// [`Reason::NO_RULE`]. It stands here so that the verifier forgets it as well.
    pub shadowed: Reason,
    /// What the address policy says of it. It stands here for the same reason.
    pub class: AddressClass,
    /// The IP header's version.
    pub version: u8,
    /// Whether its client has proved itself.
    pub proof: Proof,
    /// The list that dropped it or would have, by its number; zero if none did.
    pub refused_by: u16,
    /// The start of a ClientHello in it.
    pub hello: Start,
    /// Room for a number that the verifier shall forget.
    pub scratch: u64,
    /// The hash of its flow, if it may belong to a ClientHello.
    pub flow: u64,
    /// The keyed hash of its hello's fingerprint, if [`Frame::is_fingerprinted`].
    pub fingerprint: u64,
    /// What the local socket has of its stream, if [`Frame::evidence`] says that it is known.
    pub received: Received,
    /// Where its hello starts, as far as that is known.
    pub hello_start: u32,
    /// The steps of its service's limits that are left.
    pub plan: Plan,
    /// When it came, once that was asked; else zero.
    pub now_ns: u64,
    /// All of its bytes.
    pub bytes: u32,
    /// Not zero if it completes a hello that has a fingerprint: what is left are the limits
    /// that rules name.
    pub is_fingerprinted: u32,
    /// What it asks for: a destination port or one of the numbers behind them, as
    /// [`crate::abi::limit`] has them.
    pub service: u32,
    /// Why a limit refused it, or [`Reason::NO_RULE`].
    pub refused: Reason,
    /// What follows from that.
    pub refusal: Verdict,
    /// The steps of its client's own limits that are left, of a byte each.
    pub own_steps: u16,
    /// Not zero when the host only monitors.
    pub monitor: u8,
    /// The unit that a list's profile counts, in the place of the service's own.
    pub replaced_unit: u8,
    /// How often another CPU was faster at a meter.
    pub lost: u8,
    /// What shows that nobody forged it: [`HelloRecord::PROVEN`](crate::abi::hello::HelloRecord)
    /// and what is known of its socket.
    pub evidence: u8,
    /// The datagram, if it is [`Kind::Udp`] or [`Kind::Initial`].
    pub udp: Udp,
    /// Zero.
    pub reserved: u32,
}

assert_layout!(
    Frame, size 176, align 8, destination at 16, tcp at 32, kind at 56, reason at 57, class at 60,
    refused_by at 66, scratch at 72, received at 96, plan at 112, bytes at 136, monitor at 152,
    udp at 156
);

impl Frame {
    /// Whether its segment neither carries data nor asks for a connection.
    #[inline(always)]
    #[must_use]
    pub const fn is_bare(&self) -> bool {
        self.tcp.payload_len() == 0 && !self.tcp.flags.opens()
    }

    /// Whether the local stack would make something of a reset in its place: a whole segment
    /// of a connection that is there already.
    #[inline(always)]
    #[must_use]
    pub const fn is_resettable(&self) -> bool {
        let flags = self.tcp.flags;
        matches!(self.kind, Kind::Tcp)
            && !self.tcp.fragment
            && !flags.synchronizes()
            && !flags.resets()
    }
}

/// Whether a packet's client has completed a handshake lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof(pub u8);

impl Proof {
    /// Nobody has asked.
    pub const UNKNOWN: Self = Self(0);
    /// It has.
    pub const PROVEN: Self = Self(1);
    /// Nothing says so.
    pub const NONE: Self = Self(2);
}

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
    /// Its addresses and a UDP datagram in a whole packet.
    Udp,
    /// The same, and it is to be copied: it starts with a QUIC client's Initial packet.
    Initial,
}

/// A TCP segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Tcp {
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgement number.
    pub acknowledgement: u32,
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

assert_layout!(Tcp, size 24, align 4, len at 12, flags at 20, fragment at 22);

impl Tcp {
    /// Sequence number of the first byte of payload. The SYN takes one of its own; TCP Fast
    /// Open's data follows it.
    #[inline(always)]
    #[must_use]
    pub const fn first(&self) -> u32 {
        self.sequence.wrapping_add(self.flags.opens() as u32)
    }

    /// Bytes of payload.
    #[inline(always)]
    #[must_use]
    pub const fn payload_len(&self) -> u32 {
        self.len.wrapping_sub(self.header_len as u32)
    }
}

/// A UDP datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Udp {
    /// Where the UDP header starts in the frame.
    pub offset: u32,
    /// Bytes of header and payload.
    pub len: u32,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    reserved: u32,
}

assert_layout!(Udp, size 16, align 4, len at 4, destination_port at 10);

#[cfg(test)]
mod tests;
