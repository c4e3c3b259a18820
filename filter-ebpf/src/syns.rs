//! What connections started with.
#![expect(unsafe_code, reason = "map values are reached by pointers that the verifier checks")]

use crate::cursor::is_len;
use crate::maps::SYNS;
use crate::opaque::opaque;
use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::generated::bpf_xdp_load_bytes;
use filter_common::abi::syn::{
    NETWORK_V4, SEGMENT_FROM, SEGMENT_LEN, SYN_SLOTS, SynHeaders, SynSlot, name_of,
};
use filter_common::wire::frame::Frame;

/// The slot of a hash.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a mask leaves a few bits")]
fn slot(hash: u64) -> Option<*mut SynSlot> {
    SYNS.get_ptr_mut((hash & u64::from(SYN_SLOTS - 1)) as u32)
}

/// Keeps a SYN's headers, unless they are there: who sends a second one can't change them.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "it was bounded")]
pub(crate) fn keep(context: *mut xdp_md, frame: &Frame) {
    let (flow, first) = (frame.flow, frame.tcp.first());
    let Some(slot) = slot(flow) else {
        return;
    };
    if read(slot, flow, first).is_some() {
        return;
    }
    // SAFETY: the pointer came from the map for this call; see `SynSlot` for other CPUs.
    let headers = unsafe { &raw mut (*slot).headers };
    // SAFETY: as above. Only as much of the segment is written as its header has.
    unsafe { headers.write_volatile(SynHeaders::default()) };
    // SAFETY: as above.
    let network = unsafe { &raw mut (*headers).network };
    // SAFETY: as above.
    let segment = unsafe { &raw mut (*headers).segment };
    let skipped = if frame.source.is_v4() { NETWORK_V4 } else { 0 };
    let from = u32::from(frame.network_offset) + skipped;
    // SAFETY: the helper checks the offset against the frame, and the field has eight bytes.
    if unsafe { bpf_xdp_load_bytes(context, from, network.cast(), 8) } != 0 {
        return;
    }
    let len = opaque(usize::from(frame.tcp.header_len).wrapping_sub(SEGMENT_FROM as usize));
    if !is_len(len, SEGMENT_LEN as usize) {
        return;
    }
    let from = frame.tcp.offset + SEGMENT_FROM;
    // SAFETY: as above; the field has room for the longest header.
    if unsafe { bpf_xdp_load_bytes(context, from, segment.cast(), len as u32) } == 0 {
        // SAFETY: as above.
        let headers = unsafe { headers.read_volatile() };
        // SAFETY: as above.
        let name = unsafe { &raw mut (*slot).name };
        // SAFETY: as above.
        unsafe { name.write_volatile(headers.seal(name_of(flow, first))) };
    }
}

/// What is kept of the flow's connection whose first byte has this number; zeroes if nothing is.
///
/// A function of its own, as it is called from several places.
#[inline(never)]
pub(crate) fn recall(flow: u64, first: u32, into: &mut SynHeaders) {
    *into = slot(flow).and_then(|slot| read(slot, flow, first)).unwrap_or_default();
}

#[inline(always)]
fn read(slot: *mut SynSlot, flow: u64, first: u32) -> Option<SynHeaders> {
    // SAFETY: the pointer came from the map for this call.
    let seen = unsafe { slot.read_volatile() };
    (seen.name == seen.headers.seal(name_of(flow, first))).then_some(seen.headers)
}
