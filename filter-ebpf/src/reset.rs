//! Turning a segment into a reset for the local stack.
#![expect(unsafe_code, reason = "helpers write the packet")]

use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::generated::{bpf_xdp_adjust_tail, bpf_xdp_load_bytes, bpf_xdp_store_bytes};
use core::mem::size_of;
use filter_common::wire::frame::Frame;
use filter_common::wire::reset::{RESET_LEN, claimed_len, header, updated};

/// Offsets in the IPv4 header.
const V4_LEN: u32 = 2;
const V4_CHECKSUM: u32 = 10;
/// Offset in the IPv6 header.
const V6_LEN: u32 = 4;

/// Turns the frame's segment into a reset. `false` when that failed: then the packet is half
/// written and has to be dropped.
#[inline(always)]
#[expect(clippy::cast_possible_wrap, reason = "frames are shorter than 2 GiB")]
pub(crate) fn rewrite(context: *mut xdp_md, frame: &Frame) -> bool {
    let network = u32::from(frame.network_offset);
    let len = claimed_len(frame);
    let headers = if frame.version == 6 {
        store(context, network + V6_LEN, &len.to_be())
    } else {
        shorten_v4(context, network, len)
    };
    if !headers || !store(context, frame.tcp.offset, &header(frame).map(u32::to_be)) {
        return false;
    }
    let end = frame.tcp.offset + RESET_LEN;
    // SAFETY: the context is the one that the kernel called the program with; packet pointers
    // aren't used after this.
    unsafe { bpf_xdp_adjust_tail(context, end.wrapping_sub(frame.bytes) as i32) == 0 }
}

#[inline(always)]
fn shorten_v4(context: *mut xdp_md, network: u32, len: u16) -> bool {
    let (mut former, mut checksum) = (0_u16, 0_u16);
    if !load(context, network + V4_LEN, &mut former)
        || !load(context, network + V4_CHECKSUM, &mut checksum)
    {
        return false;
    }
    let checksum = updated(u16::from_be(checksum), u16::from_be(former), len);
    store(context, network + V4_LEN, &len.to_be())
        && store(context, network + V4_CHECKSUM, &checksum.to_be())
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a few bytes")]
fn load<T>(context: *mut xdp_md, offset: u32, into: &mut T) -> bool {
    let pointer = (&raw mut *into).cast();
    // SAFETY: the buffer has the size that is given; the helper checks the offset.
    unsafe { bpf_xdp_load_bytes(context, offset, pointer, size_of::<T>() as u32) == 0 }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a few bytes")]
fn store<T>(context: *mut xdp_md, offset: u32, from: &T) -> bool {
    let pointer = (&raw const *from).cast_mut().cast();
    // SAFETY: the buffer has the size that is given; the helper checks the offset.
    unsafe { bpf_xdp_store_bytes(context, offset, pointer, size_of::<T>() as u32) == 0 }
}
