//! Programs that differ only in how they look an address up: what benchmarks compare.
//!
//! Each reads a frame as the filter does, takes the next address of `SOURCES` for its
//! source, and drops it if the look-up says so.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]
#![expect(unsafe_code, reason = "map values are reached by pointers that the verifier checks")]
#![expect(clippy::cast_possible_truncation, reason = "numbers of elements, and halves of words")]
#![expect(clippy::needless_pass_by_value, reason = "the macro calls programs with a value")]

mod cursor;
mod image;
mod license;
mod opaque;

use aya_ebpf::bindings::xdp_action::{XDP_ABORTED, XDP_DROP, XDP_PASS};
use aya_ebpf::helpers::generated::bpf_loop;
use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::lpm_trie::{Key, LpmTrie};
use aya_ebpf::maps::{Array, HashMap, PerCpuArray};
use aya_ebpf::programs::XdpContext;
use core::ffi::c_void;
use core::ptr::null_mut;
use cursor::XdpPacket;
use filter_common::abi::address::AddressClass;
use filter_common::wire::address::Address;
use filter_common::wire::frame::{self, Frame};

/// Addresses that packets seem to come from, in turn. Written by the benchmark.
#[map]
static SOURCES: Array<Address> = Array::with_max_entries(SOURCE_COUNT, 0x400);

/// How many there are: a power of two.
const SOURCE_COUNT: u32 = 1 << 20;

/// One element: how many packets have been seen.
#[map]
static TURN: Array<u64> = Array::with_max_entries(1, 0);

/// Prefixes of the kernel's LPM trie, in network order.
#[map]
static TRIE_V4: LpmTrie<[u32; 1], u32> = LpmTrie::with_max_entries(CAPACITY, 1);
#[map]
static TRIE_V6: LpmTrie<[u32; 4], u32> = LpmTrie::with_max_entries(CAPACITY, 1);

/// Exact addresses.
#[map]
static HASH: HashMap<Address, u32> = HashMap::with_max_entries(CAPACITY, 1);

/// Entries of each of the kernel's maps.
const CAPACITY: u32 = 1_500_000;

/// One element a CPU: the frame that is being looked at.
#[map]
static FRAME: PerCpuArray<Frame> = PerCpuArray::with_max_entries(1, 0);

/// Reads a frame, and takes the next source for its own.
#[inline(always)]
fn next_source(context: &XdpContext) -> Option<(Address, *mut u64)> {
    // SAFETY: the element belongs to this CPU.
    let frame = unsafe { &mut *FRAME.get_ptr_mut(0)? };
    frame::parse(&XdpPacket::new(context), frame);
    // SAFETY: benchmarks run on one CPU at a time.
    let turn = unsafe { &mut *TURN.get_ptr_mut(0)? };
    *turn += 1;
    let source = SOURCES.get(*turn as u32 % SOURCE_COUNT)?;
    Some((*source, &raw mut frame.scratch))
}

/// The verdict on a class's action.
#[inline(always)]
const fn verdict(action: u8) -> u32 {
    if action == AddressClass::BLOCK { XDP_DROP } else { XDP_PASS }
}

/// What [`classify`] found, beside the sources. Read by tests.
#[map]
static CLASSES: Array<u64> = Array::with_max_entries(CLASS_COUNT, 0x400);

/// How many answers are kept.
const CLASS_COUNT: u32 = 1 << 16;

/// Writes down what the policy's image says of the first sources, as many as `TURN` says.
/// One run looks many up: repeated runs make the kernel wait, twice a call, until no CPU
/// is in the dispatcher.
#[xdp(frags)]
fn classify(_context: XdpContext) -> u32 {
    let Some(count) = TURN.get(0) else {
        return XDP_ABORTED;
    };
    // SAFETY: the callback has the signature that the helper calls, and needs no context.
    let done = unsafe { bpf_loop(*count as u32, classify_one as *mut _, null_mut(), 0) };
    if done.cast_unsigned() == *count { XDP_PASS } else { XDP_ABORTED }
}

/// One source; 1 ends the loop.
extern "C" fn classify_one(index: u64, _context: *mut c_void) -> i64 {
    let (Some(source), Some(class)) =
        (SOURCES.get(index as u32), CLASSES.get_ptr_mut(index as u32))
    else {
        return 1;
    };
    // The class's own place is scratch memory until it is written.
    let found = image::look_up(source, class).0;
    // SAFETY: tests run on one CPU at a time, and read afterwards.
    unsafe { *class = u64::from(found) };
    0
}

/// The same without a look-up.
#[xdp(frags)]
fn none(context: XdpContext) -> u32 {
    let Some((source, _)) = next_source(&context) else {
        return XDP_ABORTED;
    };
    // The address is used, or it would not be read.
    verdict((source.high ^ source.low) as u8 & 1)
}

/// The policy's image.
#[xdp(frags)]
fn ours(context: XdpContext) -> u32 {
    let Some((source, scratch)) = next_source(&context) else {
        return XDP_ABORTED;
    };
    verdict(image::look_up(&source, scratch).action())
}

/// The kernel's LPM trie.
#[xdp(frags)]
fn lpm_trie(context: XdpContext) -> u32 {
    let Some((source, _)) = next_source(&context) else {
        return XDP_ABORTED;
    };
    let found = if source.is_v4() {
        TRIE_V4.get(Key::new(32, [source.tail().to_be()]))
    } else {
        TRIE_V6.get(Key::new(128, source.network_words()))
    };
    verdict(found.copied().unwrap_or(0) as u8)
}

/// The kernel's hash, which knows exact addresses alone.
#[xdp(frags)]
fn hash(context: XdpContext) -> u32 {
    let Some((source, _)) = next_source(&context) else {
        return XDP_ABORTED;
    };
    // SAFETY: the value is copied out at once, and nobody changes it meanwhile.
    let found = unsafe { HASH.get(source) };
    verdict(found.copied().unwrap_or(0) as u8)
}

/// Never reached.
#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}
