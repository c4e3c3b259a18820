//! Palisade's XDP program.
//!
//! The packet path itself is `filter_common::decide`; here it gets its maps and packet
//! pointers, and what it decided is counted and carried out.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch, core_intrinsics)]
#![expect(internal_features, reason = "compare-and-swap has no stable form on this target")]

mod count;
mod cursor;
mod image;
mod license;
mod limits;
mod maps;
mod offender;
mod opaque;
mod proof;
mod record;
mod reset;
mod tables;
mod words;

use aya_ebpf::bindings::xdp_action::{XDP_DROP, XDP_PASS};
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use cursor::XdpPacket;
use filter_common::abi::counter::Verdict;
use filter_common::decide::decide;
use tables::MapTables;

/// The filter: every frame of an interface, before the stack sees it.
#[xdp(frags)]
#[expect(clippy::needless_pass_by_value, reason = "the macro calls it with a value")]
fn palisade(context: XdpContext) -> u32 {
    let packet = XdpPacket::new(&context);
    let Some(frame) = tables::frame() else {
        return XDP_PASS;
    };
    let tables = MapTables::new(&context, &raw mut frame.scratch);
    let mut decision = decide(&packet, &tables, frame);
    if decision.verdict == Verdict::RESET && !reset::rewrite(context.ctx, frame) {
        decision.verdict = Verdict::DROP;
    }
    #[cfg(feature = "log")]
    aya_log_ebpf::debug!(&context, "verdict {} reason {}", decision.verdict.0, decision.reason.0);
    count::count(decision.verdict, decision.reason, frame.bytes);
    count::count_lists(frame, decision.is_ended_by_list(), frame.bytes);
    if decision.verdict == Verdict::DROP { XDP_DROP } else { XDP_PASS }
}

/// Never reached: a reachable panic is a loop that the verifier refuses.
#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}
