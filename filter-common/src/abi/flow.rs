//! Where in a client's byte stream a ClientHello may lie.

use super::assert_layout;
use super::hello::HELLO_WINDOW;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One slot of the `FLOWS` map.
///
/// The window is a hint and no record: it only selects which segments are looked at. So two
/// CPUs may tear it, and a spoofed packet may overwrite it, and nothing wrong follows: at worst
/// a hello that came out of order is not put together. While a hello that is evidence is
/// unfinished nobody else takes its slot: then all segments are looked at that fall on it. That
/// a connection was ended is written for hellos alone that are evidence; another connection that
/// ends may overwrite it.
///
/// *Shape*: 32 bytes. Positions are TCP sequence numbers and wrap.
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
    /// When a hello that is evidence was last seen unfinished, in [`ticks`]; zero: it is not.
    pub unfinished: u32,
    /// When another flow last found the slot taken, in [`ticks`]; zero: none did.
    pub crowded: u32,
    /// The tag of a flow that a rule has ended.
    pub ended: u32,
    /// Sequence number at which its hello started.
    pub ended_start: u32,
    /// Until when nothing of it passes, in units of 2^30 ns.
    pub ended_until: u32,
}

assert_layout!(FlowSlot, size 32, align 4, unfinished at 12, ended at 20, ended_until at 28);

/// A time in units of 2^20 ns, about milliseconds; never zero.
#[inline(always)]
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "it wraps after 52 days")]
pub const fn ticks(ns: u64) -> u32 {
    (ns >> 20) as u32 | 1
}

/// For how long a slot is kept for an unfinished hello, in [`ticks`]: about a minute, in which a
/// server gives up a client that doesn't go on.
const KEPT_TICKS: u32 = 1 << 16;

impl FlowSlot {
    /// The same slot with a window of `len` bytes, at most [`HELLO_WINDOW`], and no unfinished
    /// hello.
    #[inline(always)]
    #[must_use]
    pub const fn window(self, tag: u32, start: u32, len: u32) -> Self {
        let len = if len > HELLO_WINDOW { HELLO_WINDOW } else { len };
        Self { tag, start, end: start.wrapping_add(len), unfinished: 0, ..self }
    }

    /// Whether it is kept for a hello that isn't all there.
    #[inline(always)]
    #[must_use]
    pub const fn is_kept(&self, now: u32) -> bool {
        self.unfinished != 0 && now.wrapping_sub(self.unfinished) < KEPT_TICKS
    }

    /// Whether others have found it taken.
    #[inline(always)]
    #[must_use]
    pub const fn is_crowded(&self, now: u32) -> bool {
        self.crowded != 0 && now.wrapping_sub(self.crowded) < KEPT_TICKS
    }

    /// Whether a position lies in the window.
    #[inline(always)]
    #[must_use]
    pub const fn holds(&self, position: u32) -> bool {
        position.wrapping_sub(self.start) < self.end.wrapping_sub(self.start)
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
/// missed. 512 KiB stay in a CPU's second-level cache.
pub const FLOW_SLOTS: u32 = 16_384;
