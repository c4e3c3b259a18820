//! How the parsing core reads bytes without ever holding a slice.
//!
//! A slice's length becomes a plain scalar in BPF and the verifier refuses the access; a
//! cursor that compares its position with the packet's end is accepted. So the core
//! speaks these traits, the program implements them on packet pointers, and
//! [`SlicePacket`] implements them for the host.

use core::array::from_fn;
use core::hint::black_box;
use zerocopy::{FromBytes, Unaligned};

/// A position that moves forward over bytes.
pub trait Cursor {
    /// The next `size_of::<T>()` bytes, or `None` when they aren't all there.
    fn read<T: FromBytes + Unaligned + Copy>(&mut self) -> Option<T>;

    /// Steps over `count` bytes, or `None` when they aren't all there.
    fn skip(&mut self, count: u32) -> Option<()>;
}

/// A frame as it came in.
pub trait Packet {
    /// What reads its headers.
    type Cursor: Cursor;

    /// A cursor on the first byte of the Ethernet header. It may end before the frame
    /// does: the rest of a multi-buffer frame is reached by [`Packet::peek`] alone.
    fn cursor(&self) -> Self::Cursor;

    /// Bytes of the whole frame, all buffers counted.
    fn total_len(&self) -> u32;

    /// Copies `len` bytes at `offset`, wherever in the frame they lie; `false` when they
    /// aren't all there. What else is in `into` afterwards is undefined. (An `Option` of
    /// the bytes would be undefined in part, which the verifier refuses.)
    fn peek<const N: usize>(&self, offset: u32, len: u32, into: &mut [u8; N]) -> bool;
}

/// Room for [`Packet::peek`]: zeroes that LLVM doesn't know for such. Of those it would make a
/// call, and a loop over bytes, for each packet.
#[inline(always)]
#[must_use]
pub fn room<const N: usize>() -> [u8; N] {
    let zeroes = black_box(0_u64).to_le_bytes();
    from_fn(|at| zeroes[at % zeroes.len()])
}

/// A cursor over a slice, for the host.
#[derive(Clone, Copy, Debug)]
pub struct SliceCursor<'a> {
    rest: &'a [u8],
}

impl<'a> SliceCursor<'a> {
    /// A cursor on the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl Cursor for SliceCursor<'_> {
    fn read<T: FromBytes + Unaligned + Copy>(&mut self) -> Option<T> {
        let (value, rest) = T::read_from_prefix(self.rest).ok()?;
        self.rest = rest;
        Some(value)
    }

    fn skip(&mut self, count: u32) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(count).ok()?..)?;
        Some(())
    }
}

/// A frame in memory, for the host.
#[derive(Clone, Copy, Debug)]
pub struct SlicePacket<'a> {
    frame: &'a [u8],
}

impl<'a> SlicePacket<'a> {
    /// A frame that starts with its Ethernet header.
    #[must_use]
    pub const fn new(frame: &'a [u8]) -> Self {
        Self { frame }
    }
}

impl<'a> Packet for SlicePacket<'a> {
    type Cursor = SliceCursor<'a>;

    fn cursor(&self) -> Self::Cursor {
        SliceCursor::new(self.frame)
    }

    fn total_len(&self) -> u32 {
        u32::try_from(self.frame.len()).unwrap_or(u32::MAX)
    }

    fn peek<const N: usize>(&self, offset: u32, len: u32, into: &mut [u8; N]) -> bool {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let found = self.frame.get(from..).and_then(|rest| rest.get(..len));
        match (found, into.get_mut(..len)) {
            (Some(found), Some(into)) => into.copy_from_slice(found),
            _ => return false,
        }
        true
    }
}
