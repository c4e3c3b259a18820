//! The end of a program: on to the next, or what was decided is carried out.
#![expect(unsafe_code, reason = "a tail call leaves everything behind")]

use crate::{count, reset};
use aya_ebpf::bindings::xdp_action::{XDP_DROP, XDP_PASS};
use aya_ebpf::macros::map;
use aya_ebpf::maps::ProgramArray;
use aya_ebpf::programs::XdpContext;
use core::arch::asm;
use filter_common::abi::counter::Verdict;
use filter_common::abi::program::{HELLO_PROGRAM, LIMIT_PROGRAM, PROGRAM_COUNT};
use filter_common::decide::{Decision, passed};
use filter_common::wire::frame::Frame;

/// The programs that the first one goes on with, by their numbers. Written by the daemon before
/// anything is attached.
#[map]
static PROGRAMS: ProgramArray = ProgramArray::with_max_entries(PROGRAM_COUNT, 0);

/// Goes on with the program that is to, or carries out what was decided, and counts it.
#[inline(always)]
pub(crate) fn conclude(context: &XdpContext, frame: &mut Frame, mut decision: Decision) -> u32 {
    if decision == Decision::LIMIT {
        go_on::<LIMIT_PROGRAM>(context);
        // There is no such program: nothing more can be decided.
        decision = passed(frame);
    }
    if decision == Decision::HELLO {
        go_on::<HELLO_PROGRAM>(context);
        decision = passed(frame);
    }
    if decision.verdict == Verdict::RESET && !reset::rewrite(context.ctx, frame) {
        decision.verdict = Verdict::DROP;
    }
    #[cfg(feature = "log")]
    aya_log_ebpf::debug!(context, "verdict {} reason {}", decision.verdict.0, decision.reason.0);
    count::count(decision.verdict, decision.reason, frame.bytes);
    count::count_lists(frame, decision.is_ended_by_list(), frame.bytes);
    if decision.verdict == Verdict::DROP { XDP_DROP } else { XDP_PASS }
}

/// Goes on with another program; comes back only if there is none.
///
/// The kernel makes a jump of a call whose number it knows, and an indirect one, several times
/// as dear, of one that LLVM has merged from two. What stands behind each keeps them apart.
#[inline(always)]
fn go_on<const PROGRAM: u32>(context: &XdpContext) {
    // SAFETY: the array holds XDP programs alone, and nothing here has to be dropped.
    unsafe { PROGRAMS.tail_call(context, PROGRAM) };
    // SAFETY: an instruction that changes one register.
    unsafe { asm!("r0 = {}", const PROGRAM, out("r0") _, options(nomem, nostack)) };
}
