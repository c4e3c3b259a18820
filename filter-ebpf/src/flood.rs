//! A flood for tests: sends copies of a frame out of an interface, each from a source of
//! its own. Run on live frames (`BPF_PROG_TEST_RUN`) and attached nowhere.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "the frame's headers are written")]

mod license;

use aya_ebpf::bindings::xdp_action::{XDP_ABORTED, XDP_DROP};
use aya_ebpf::helpers::generated::{bpf_get_prandom_u32, bpf_ktime_get_ns, bpf_redirect};
use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::Array;
use aya_ebpf::programs::XdpContext;
use filter_common::flood::{FloodPlan, HEADER_LEN, HEADER_WORDS};

/// One element: how frames are made. Written by tests, before frames are sent. The flag is
/// `BPF_F_MMAPABLE`.
#[map]
static PLAN: Array<FloodPlan> = Array::with_max_entries(1, 0x400);

/// One element: when the next frame is due.
#[map]
static DUE: Array<u64> = Array::with_max_entries(1, 0);

/// Gives the frame a source and sends it, if one is due.
#[xdp]
#[expect(clippy::needless_pass_by_value, reason = "the macro calls it with a value")]
fn flood(context: XdpContext) -> u32 {
    send(&context).unwrap_or(XDP_ABORTED)
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "half of a random number, and an action")]
#[expect(clippy::cast_sign_loss, reason = "actions aren't negative")]
fn send(context: &XdpContext) -> Option<u32> {
    let plan = PLAN.get(0)?;
    if !is_due(plan)? {
        return Some(XDP_DROP);
    }
    let start = context.data();
    if start + HEADER_LEN > context.data_end() {
        return None;
    }
    let source = plan.source(random());
    let headers = plan.stamped(source, random() as u16, random());
    // A frame that went this way before may have been changed by who got it: all of the
    // headers are written.
    // SAFETY: the frame is as long, and live frames begin at a multiple of eight; the
    // verifier checks the first.
    unsafe { (start as *mut [u64; HEADER_WORDS]).write(headers) };
    // SAFETY: the helper has no preconditions.
    Some(unsafe { bpf_redirect(plan.interface, 0) } as u32)
}

#[inline(always)]
fn is_due(plan: &FloodPlan) -> Option<bool> {
    if plan.gap_ns == 0 {
        return Some(true);
    }
    // SAFETY: one thread runs this copy of the program.
    let due_ns = unsafe { &mut *DUE.get_ptr_mut(0)? };
    // SAFETY: the helper has no preconditions.
    let now_ns = unsafe { bpf_ktime_get_ns() };
    if now_ns < *due_ns {
        return Some(false);
    }
    *due_ns = plan.due_after(*due_ns, now_ns);
    Some(true)
}

#[inline(always)]
fn random() -> u32 {
    // SAFETY: the helper has no preconditions.
    unsafe { bpf_get_prandom_u32() }
}

/// Never reached.
#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}
