//! Copying segments of hellos to the daemon.
#![expect(unsafe_code, reason = "helpers fill the CPU's scratch element through a pointer")]

use crate::count::count_segment;
use crate::maps::{RECORDS, SCRATCH, Scratch};
use crate::proof;
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::helpers::generated::bpf_xdp_load_bytes;
use aya_ebpf::programs::XdpContext;
use core::cmp::min;
use core::hint::black_box;
use core::mem::size_of;
use filter_common::abi::record::{RECORD_CAPACITY, SegmentRecord};
use filter_common::wire::frame::Frame;

/// Copies a segment to the ring buffer, or counts that it was lost.
#[inline(always)]
pub(crate) fn copy_segment(context: &XdpContext, frame: &Frame, stream_start: u32) {
    let Some(scratch) = SCRATCH.get_ptr_mut(0) else {
        return;
    };
    // SAFETY: the element belongs to this CPU, and the program isn't interrupted by
    // another run of itself.
    let scratch = unsafe { &mut *scratch };
    let copied = min(frame.tcp.len, RECORD_CAPACITY);
    scratch.header = header(context, frame, stream_start, copied);
    count_segment(load(context, frame.tcp.offset, scratch, copied) && send(scratch, copied));
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "an ifindex is a positive i32")]
fn header(context: &XdpContext, frame: &Frame, stream_start: u32, copied: u32) -> SegmentRecord {
    SegmentRecord {
        // SAFETY: the helper has no preconditions.
        time_ns: unsafe { bpf_ktime_get_ns() },
        source: [frame.source.high, frame.source.low],
        destination: [frame.destination.high, frame.destination.low],
        stream_start,
        ifindex: context.ingress_ifindex() as u32,
        segment_len: frame.tcp.len,
        copied,
        evidence: if proof::is_established(context.ctx, frame) { SegmentRecord::PROVEN } else { 0 },
        reserved: 0,
    }
}

#[inline(always)]
fn load(context: &XdpContext, offset: u32, scratch: &mut Scratch, len: u32) -> bool {
    // Opaque to the optimiser, so that the verifier sees this very comparison.
    let len = black_box(len);
    if len == 0 || len > RECORD_CAPACITY {
        return false;
    }
    let segment = scratch.segment.as_mut_ptr();
    // SAFETY: the buffer holds RECORD_CAPACITY bytes; the helper checks offset and length
    // against the frame.
    unsafe { bpf_xdp_load_bytes(context.ctx, offset, segment.cast(), len) == 0 }
}

#[inline(always)]
fn send(scratch: &Scratch, len: u32) -> bool {
    let len = black_box(len);
    if len > RECORD_CAPACITY {
        return false;
    }
    let bytes = core::ptr::from_ref(scratch).cast::<u8>();
    let len = size_of::<SegmentRecord>() + len as usize;
    // SAFETY: the header and `len` bytes of the segment lie behind one another in the
    // element.
    let bytes = unsafe { core::slice::from_raw_parts(bytes, len) };
    RECORDS.output::<[u8]>(bytes, 0).is_ok()
}
