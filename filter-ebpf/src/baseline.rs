//! Programs that benchmarks compare the filter with.
#![no_std]
#![no_main]

use aya_ebpf::bindings::xdp_action::XDP_PASS;
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;

/// Passes every frame.
#[xdp(frags)]
fn empty(_context: XdpContext) -> u32 {
    XDP_PASS
}

/// Never reached.
#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}
