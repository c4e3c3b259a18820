//! Loops that the kernel runs.
#![expect(unsafe_code, reason = "a helper calls back with a pointer")]

use aya_ebpf::helpers::generated::bpf_loop;
use core::ffi::c_void;
use filter_common::ja4::{Loop, Step};

/// `bpf_loop`: the verifier looks at a step once, however often it is taken.
pub(crate) struct KernelLoop;

impl Loop for KernelLoop {
    #[inline(always)]
    fn repeat<S: Step>(&self, times: u32, step: &mut S) {
        let step: *mut S = step;
        // SAFETY: the callback has the signature that the helper calls, and what it is given
        // outlives the call.
        unsafe { bpf_loop(times, take::<S> as *mut _, step.cast(), 0) };
    }
}

#[expect(clippy::cast_possible_truncation, reason = "loops are shorter than that")]
extern "C" fn take<S: Step>(index: u64, step: *mut c_void) -> i64 {
    // SAFETY: the pointer is the one that `repeat` gave away, for as long as it waits.
    let step = unsafe { &mut *step.cast::<S>() };
    i64::from(step.step(index as u32))
}
