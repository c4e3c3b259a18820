//! Packet pointers: the only file that holds any.
#![expect(unsafe_code, reason = "packet memory is reached by pointers that the verifier checks")]

use crate::opaque::{opaque, opaque_u32};
use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::generated::{bpf_xdp_get_buff_len, bpf_xdp_load_bytes};
use aya_ebpf::programs::XdpContext;
use core::arch::asm;
use core::mem::size_of;
use filter_common::wire::cursor::{Cursor, Packet};
use zerocopy::{FromBytes, IntoBytes, Unaligned};

/// One load instruction of the given width.
macro_rules! load_as {
    ($at:expr, $width:literal, $offset:literal) => {{
        let loaded: u64;
        // SAFETY: the bytes are inside the packet; the verifier checks that again.
        unsafe {
            asm!(
                concat!("{loaded} = *(", $width, " *)({at} + ", $offset, ")"),
                at = in(reg) $at,
                loaded = lateout(reg) loaded,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        loaded
    }};
}

/// The frame that the program was called for.
pub(crate) struct XdpPacket {
    total_len: u32,
    context: *mut xdp_md,
}

impl XdpPacket {
    /// The frame of a context, which must outlive it.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "frames are shorter than 4 GiB")]
    pub(crate) fn new(context: &XdpContext) -> Self {
        // SAFETY: the context is the one that the kernel called the program with.
        let total_len = unsafe { bpf_xdp_get_buff_len(context.ctx) as u32 };
        Self { total_len, context: context.ctx }
    }

    /// The first byte. It is read again each time: the verifier knows of a new pointer nothing
    /// that would keep it from joining the paths that lead here.
    #[inline(always)]
    fn start(&self) -> usize {
        // SAFETY: the context is the one that the kernel called the program with.
        let start = unsafe { &raw const (*self.context).data };
        // SAFETY: as above.
        let start = unsafe { start.read_volatile() };
        start as usize
    }

    /// Behind the last byte of the linear part.
    #[inline(always)]
    fn end(&self) -> usize {
        // SAFETY: as above.
        let end = unsafe { &raw const (*self.context).data_end };
        // SAFETY: as above.
        let end = unsafe { end.read_volatile() };
        end as usize
    }
}

impl Packet for XdpPacket {
    type Cursor = XdpCursor;

    #[inline(always)]
    fn cursor(&self) -> XdpCursor {
        XdpCursor { position: self.start(), end: self.end() }
    }

    #[inline(always)]
    fn total_len(&self) -> u32 {
        self.total_len
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "it was bounded")]
    fn peek<const N: usize>(&self, offset: u32, len: u32, into: &mut [u8; N]) -> bool {
        let offset = opaque_u32(offset);
        let position = self.start() + (offset & LINEAR_MASK) as usize;
        let next = opaque(position + N);
        if offset <= LINEAR_MASK && next <= self.end() {
            into.copy_from_slice(&load(position, N).as_bytes()[..N]);
            return true;
        }
        let len = opaque(len as usize);
        if !is_len(len, N) {
            return false;
        }
        // SAFETY: the buffer is N bytes of this stack frame; the helper checks the
        // offset against the frame.
        unsafe {
            bpf_xdp_load_bytes(self.context, offset, into.as_mut_ptr().cast(), len as u32) == 0
        }
    }
}

/// Whether a length is one that a helper takes: not zero, and no more than this.
///
/// Older verifiers learn nothing from a comparison with zero itself, into which the optimiser
/// turns one with a one that it sees.
#[inline(always)]
pub(crate) fn is_len(len: usize, most: usize) -> bool {
    len >= opaque(1) && len <= most
}

/// Bounds an offset into the linear part, for the verifier.
const LINEAR_MASK: u32 = 0x3fff;

/// Words of the longest header.
const WORDS: usize = 5;

/// Loads `len` bytes, at most five words of them, which the caller found to be before the
/// end of the packet.
///
/// The headers aren't aligned, and for such loads the compiler emits single bytes; the
/// kernel's verifier allows whole words wherever the CPU does.
#[inline(always)]
fn load(position: usize, len: usize) -> [u64; WORDS] {
    let mut words = [0; WORDS];
    for (i, word) in words.iter_mut().enumerate() {
        let at = position + i * 8;
        *word = match len.saturating_sub(i * 8) {
            0 => 0,
            1 => load_as!(at, "u8", 0),
            2..4 => load_as!(at, "u16", 0),
            4 => load_as!(at, "u32", 0),
            6 => load_as!(at, "u32", 0) | load_as!(at, "u16", 4) << 32,
            _ => load_as!(at, "u64", 0),
        };
    }
    words
}

/// A position in the linear part of the frame.
pub(crate) struct XdpCursor {
    position: usize,
    end: usize,
}

impl Cursor for XdpCursor {
    #[inline(always)]
    fn read<T: FromBytes + Unaligned + Copy>(&mut self) -> Option<T> {
        // The optimiser must not derive a second pointer that the comparison below
        // doesn't bound.
        let position = opaque(self.position);
        let next = position + size_of::<T>();
        if next > self.end {
            return None;
        }
        self.position = next;
        let words = load(position, size_of::<T>());
        T::read_from_prefix(words.as_bytes()).ok().map(|(value, _)| value)
    }

    #[inline(always)]
    fn skip(&mut self, count: u32) -> Option<()> {
        let next = self.position + count as usize;
        if next > self.end {
            return None;
        }
        self.position = next;
        Some(())
    }
}
