//! Where in a client's byte stream a ClientHello may lie.

use super::assert_layout;
use super::hello::HELLO_WINDOW;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One slot of the `FLOWS` map.
///
/// The window is a hint and no record: it only selects which segments are looked at. So two
/// CPUs may tear it, and a spoofed packet may overwrite it, and nothing wrong follows: at worst
/// a hello that came out of order is not put together. That a connection was ended is written
/// for hellos alone that are evidence; another connection that ends may overwrite it.
///
/// *Shape*: 24 bytes. Positions are TCP sequence numbers and wrap.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct FlowSlot {
    /// Tells flows apart that share a slot; zero is an empty slot.
    pub tag: u32,
    /// Sequence number of the first byte of the stream, or of the hello.
    pub start: u32,
    /// Sequence number behind the last byte that may belong to the hello.
    pub end: u32,
    /// The tag of a flow that a rule has ended.
    pub ended: u32,
    /// Until when nothing of it passes, in units of 2^30 ns.
    pub ended_until: u32,
    /// Zero.
    pub reserved: u32,
}

assert_layout!(FlowSlot, size 24, align 4, tag at 0, start at 4, end at 8, ended at 12);

impl FlowSlot {
    /// The same slot with a window of `len` bytes, at most [`HELLO_WINDOW`].
    #[inline(always)]
    #[must_use]
    pub const fn window(self, tag: u32, start: u32, len: u32) -> Self {
        let len = if len > HELLO_WINDOW { HELLO_WINDOW } else { len };
        Self { tag, start, end: start.wrapping_add(len), ..self }
    }

    /// The same slot without a window.
    #[inline(always)]
    #[must_use]
    pub const fn closed(self) -> Self {
        Self { tag: 0, ..self }
    }
}

/// Slots in the `FLOWS` map, a power of two.
///
/// A new connection takes the slot of an older one: with more than this many
/// connections between a SYN and its ClientHello, hellos that arrive out of order are
/// missed. 384 KiB stay in a CPU's second-level cache.
pub const FLOW_SLOTS: u32 = 16_384;
