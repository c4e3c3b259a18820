//! What a connection's first segment looked like.

use super::assert_layout;
use super::flow::FLOW_SLOTS;
use crate::hash::mix;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What the sender's system wrote into a SYN, as it came on the wire.
///
/// *Shape*: 56 bytes. All zero: nothing is known of it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct SynHeaders {
    /// Eight bytes of the IP header, up to the hop limit: IPv6's first, or IPv4's from its
    /// length to its protocol.
    pub network: u64,
    /// The TCP header from its length on. It says itself how many of these bytes are its own.
    pub segment: [u64; 6],
}

impl SynHeaders {
    /// A name that goes with these headers alone.
    #[inline(always)]
    #[must_use]
    pub const fn seal(&self, name: u64) -> u64 {
        // Written out: a verifier follows a loop round by round.
        let [first, second, third, fourth, fifth, sixth] = self.segment;
        let hash = mix(mix(mix(name, self.network), first), second);
        mix(mix(mix(mix(hash, third), fourth), fifth), sixth)
    }
}

assert_layout!(SynHeaders, size 56, align 8, segment at 8);

/// Where in an IPv4 header [`SynHeaders::network`] starts.
pub const NETWORK_V4: u32 = 2;
/// Where in a TCP header [`SynHeaders::segment`] starts.
pub const SEGMENT_FROM: u32 = 12;
/// Bytes of the longest [`SynHeaders::segment`].
pub const SEGMENT_LEN: u32 = 48;

/// One slot of the `SYNS` map.
///
/// *Concurrency*: CPUs may write at once and mix what they write. The name says what headers
/// belong to it, so a mixture has none. A spoofed SYN can take a slot from another; that one's
/// headers are unknown then, never another's.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct SynSlot {
    /// The connection's [name](name_of) with [what its SYN looked like](SynHeaders::seal).
    pub name: u64,
    /// Its SYN.
    pub headers: SynHeaders,
}

assert_layout!(SynSlot, size 64, align 8, headers at 8);

/// What names a connection: its flow, and the sequence number of its first byte.
#[inline(always)]
#[must_use]
pub const fn name_of(flow: u64, first: u32) -> u64 {
    mix(flow, first as u64) | 1
}

/// Slots in the `SYNS` map, a power of two.
pub const SYN_SLOTS: u32 = FLOW_SLOTS;
