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
mod datagrams;
mod expected;
mod hellos;
mod image;
mod license;
mod limits;
mod maps;
mod offender;
mod opaque;
mod programs;
mod proof;
mod remembered;
mod reset;
mod steps;
mod syns;
mod tables;
mod words;

use aya_ebpf::bindings::xdp_action::XDP_PASS;
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use cursor::XdpPacket;
use filter_common::decide::{decide, decide_hello, decide_limit};
use programs::conclude;
use tables::MapTables;

/// The filter: every frame of an interface, before the stack sees it. It looks at addresses,
/// and goes on with the two programs below.
#[xdp(frags)]
#[expect(clippy::needless_pass_by_value, reason = "the macro calls it with a value")]
fn palisade(context: XdpContext) -> u32 {
    let Some(frame) = tables::frame() else {
        return XDP_PASS;
    };
    let tables = MapTables::new(&context, &raw mut frame.scratch);
    let decision = decide(&XdpPacket::new(&context), &tables, frame);
    conclude(&context, frame, decision)
}

/// Meets one limit, and goes on with itself until there is none left.
#[xdp(frags)]
#[expect(clippy::needless_pass_by_value, reason = "the macro calls it with a value")]
fn palisade_limit(context: XdpContext) -> u32 {
    let Some(frame) = tables::frame() else {
        return XDP_PASS;
    };
    let tables = MapTables::new(&context, &raw mut frame.scratch);
    let decision = decide_limit(&XdpPacket::new(&context), &tables, frame);
    conclude(&context, frame, decision)
}

/// Takes frames that may belong to a ClientHello, over TCP or QUIC.
#[xdp(frags)]
#[expect(clippy::needless_pass_by_value, reason = "the macro calls it with a value")]
fn palisade_hello(context: XdpContext) -> u32 {
    let Some(frame) = tables::frame() else {
        return XDP_PASS;
    };
    let tables = MapTables::new(&context, &raw mut frame.scratch);
    let decision = decide_hello(&tables, frame);
    conclude(&context, frame, decision)
}

/// Never reached: a reachable panic is a loop that the verifier refuses.
#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}
