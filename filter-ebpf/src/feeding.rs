//! Feeds a filter with segments that are alike but for their connection: what benchmarks of
//! `ClientHello`s run. It stamps the frame and goes on with the filter.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "the frame's headers are written")]
#![expect(clippy::needless_pass_by_value, reason = "the macro calls programs with a value")]

mod license;

use aya_ebpf::bindings::xdp_action::XDP_ABORTED;
use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::{Array, ProgramArray};
use aya_ebpf::programs::XdpContext;
use filter_common::abi::feeding::{STAMPS as STAMP_COUNT, Stamp, TCP_OFFSET};

/// One element: the filter. Written by the benchmark.
#[map]
static TARGET: ProgramArray = ProgramArray::with_max_entries(1, 0);

/// What differs from frame to frame. Written by the benchmark; the flag is `BPF_F_MMAPABLE`.
#[map]
static STAMPS: Array<Stamp> = Array::with_max_entries(STAMP_COUNT, 0x400);

/// One element: how many frames there were. Set to zero by the benchmark.
#[map]
static TURN: Array<u64> = Array::with_max_entries(1, 0x400);

/// Stamps the frame and goes on with the filter.
#[xdp(frags)]
fn feed(context: XdpContext) -> u32 {
    if stamp(&context).is_some() {
        // SAFETY: the array holds XDP programs alone.
        unsafe { TARGET.tail_call(&context, 0) };
    }
    XDP_ABORTED
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "it is below the number of stamps")]
fn stamp(context: &XdpContext) -> Option<()> {
    // SAFETY: benchmarks run on one CPU at a time.
    let turn = unsafe { &mut *TURN.get_ptr_mut(0)? };
    let stamp = STAMPS.get((*turn % u64::from(STAMP_COUNT)) as u32)?;
    *turn += 1;
    let tcp = context.data() + TCP_OFFSET;
    if tcp + size_of::<[u16; 9]>() > context.data_end() {
        return None;
    }
    let fields = tcp as *mut u16;
    for (at, field) in [
        (0, stamp.port),
        (2, stamp.sequence[0]),
        (3, stamp.sequence[1]),
        (4, stamp.acknowledgement[0]),
        (5, stamp.acknowledgement[1]),
        (8, stamp.checksum),
    ] {
        // SAFETY: the fields lie in front of the end that was checked.
        let place = unsafe { fields.add(at) };
        // SAFETY: as above.
        unsafe { place.write_unaligned(field) };
    }
    if stamp.at != 0 {
        let at = context.data() + usize::from(stamp.at & 0x7ff);
        if at + size_of::<u16>() > context.data_end() {
            return None;
        }
        // SAFETY: it lies in front of the end.
        unsafe { (at as *mut u16).write_unaligned(stamp.value) };
    }
    Some(())
}

/// Never reached.
#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}
