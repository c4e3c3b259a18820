//! Packet pointers: the only file that holds any.
#![expect(unsafe_code, reason = "packet memory is reached by pointers that the verifier checks")]

use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::generated::{bpf_xdp_get_buff_len, bpf_xdp_load_bytes};
use aya_ebpf::programs::XdpContext;
use core::hint::black_box;
use core::mem::size_of;
use filter_common::wire::cursor::{Cursor, Packet};
use zerocopy::{FromBytes, Unaligned};

/// The frame that the program was called for.
pub(crate) struct XdpPacket {
    start: usize,
    end: usize,
    context: *mut xdp_md,
}

impl XdpPacket {
    /// The frame of a context, which must outlive it.
    #[inline(always)]
    pub(crate) fn new(context: &XdpContext) -> Self {
        Self { start: context.data(), end: context.data_end(), context: context.ctx }
    }
}

impl Packet for XdpPacket {
    type Cursor = XdpCursor;

    #[inline(always)]
    fn cursor(&self) -> XdpCursor {
        XdpCursor { position: self.start, end: self.end }
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "frames are shorter than 4 GiB")]
    fn total_len(&self) -> u32 {
        // SAFETY: the context is the one that the kernel called the program with.
        unsafe { bpf_xdp_get_buff_len(self.context) as u32 }
    }

    #[inline(always)]
    fn peek<const N: usize>(&self, offset: u32, into: &mut [u8; N]) -> bool {
        // SAFETY: the buffer is N bytes of this stack frame; the helper checks the
        // offset against the frame.
        unsafe {
            bpf_xdp_load_bytes(self.context, offset, into.as_mut_ptr().cast(), N as u32) == 0
        }
    }
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
        let position = black_box(self.position);
        let next = position + size_of::<T>();
        if next > self.end {
            return None;
        }
        self.position = next;
        // SAFETY: size_of::<T>() bytes from here were just found to be before the end of
        // the packet, T is valid for any bytes and has no alignment.
        Some(unsafe { *(position as *const T) })
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
