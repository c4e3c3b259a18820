//! Programs that differ only in how they meter a client: what benchmarks compare.
//!
//! Each reads a frame as the filter does, takes the next address of `SOURCES` for its
//! source, and drops it if that has gone over its limit.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch, core_intrinsics)]
#![expect(internal_features, reason = "compare-and-swap has no stable form on this target")]
#![expect(unsafe_code, reason = "map values are reached by pointers that the verifier checks")]
#![expect(clippy::needless_pass_by_value, reason = "the macro calls programs with a value")]

mod cursor;
mod license;
mod limits;
mod offender;
mod proof;
mod words;

use aya_ebpf::bindings::xdp_action::{XDP_ABORTED, XDP_DROP, XDP_PASS};
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::{Array, LruHashMap, PerCpuArray};
use aya_ebpf::programs::XdpContext;
use cursor::XdpPacket;
use filter_common::abi::counter::Reason;
use filter_common::limit;
use filter_common::verdict::Standing;
use filter_common::wire::address::Address;
use filter_common::wire::frame::{self, Frame};
use limits::MapLimits;

/// Addresses that packets seem to come from, in turn. Written by the benchmark.
#[map]
static SOURCES: Array<Address> = Array::with_max_entries(SOURCE_COUNT, 0x400);

/// How many there are: a power of two.
const SOURCE_COUNT: u32 = 1 << 20;

/// One element: how many packets have been seen.
#[map]
static TURN: Array<u64> = Array::with_max_entries(1, 0);

/// One element a CPU: the frame that is being looked at.
#[map]
static FRAME: PerCpuArray<Frame> = PerCpuArray::with_max_entries(1, 0);

/// Reads a frame, and takes the next source for its own.
#[inline(always)]
fn next_frame<'a>(context: &XdpContext) -> Option<&'a mut Frame> {
    // SAFETY: the element belongs to this CPU.
    let frame = unsafe { &mut *FRAME.get_ptr_mut(0)? };
    frame::parse(&XdpPacket::new(context), frame);
    // SAFETY: benchmarks run on one CPU at a time.
    let turn = unsafe { &mut *TURN.get_ptr_mut(0)? };
    *turn += 1;
    let turn = u32::try_from(*turn % u64::from(SOURCE_COUNT)).ok()?;
    frame.source = *SOURCES.get(turn)?;
    frame.monitor = 0;
    Some(frame)
}

/// The same without a limit.
#[xdp(frags)]
fn unmetered(context: XdpContext) -> u32 {
    let Some(frame) = next_frame(&context) else {
        return XDP_ABORTED;
    };
    // The address is used, or it would not be read.
    if (frame.source.high ^ frame.source.low) & 1 == 0 { XDP_PASS } else { XDP_DROP }
}

/// The limits of the frame's service.
#[xdp(frags)]
fn metered(context: XdpContext) -> u32 {
    let Some(frame) = next_frame(&context) else {
        return XDP_ABORTED;
    };
    let limits = MapLimits::new(context.ctx, &raw mut frame.scratch);
    limit::check(&limits, Standing::default(), frame);
    if frame.refused == Reason::NO_RULE { XDP_PASS } else { XDP_DROP }
}

/// A token bucket in a hash, as it is usually written.
#[repr(C)]
#[derive(Clone, Copy)]
struct Bucket {
    /// Time that is to be spent, in nanoseconds.
    credit_ns: u64,
    /// When it was filled up last.
    filled_ns: u64,
}

/// Client to its bucket; full, those go that weren't seen for longest.
#[map]
static BUCKETS: LruHashMap<Address, Bucket> = LruHashMap::with_max_entries(BUCKET_COUNT, 0);

/// As many as there are sources, and some that CPUs keep to themselves.
const BUCKET_COUNT: u32 = SOURCE_COUNT + (1 << 14);

/// What a packet costs and what can be saved up, in nanoseconds. Written by the benchmark.
#[map]
static PRICE: Array<[u64; 2]> = Array::with_max_entries(1, 0);

/// One element a CPU: packets that the bucket refused.
#[map]
static REFUSED: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// A token bucket a client in the kernel's LRU hash.
#[xdp(frags)]
fn lru_hash(context: XdpContext) -> u32 {
    let Some(frame) = next_frame(&context) else {
        return XDP_ABORTED;
    };
    let Some([cost_ns, most_ns]) = PRICE.get(0).copied() else {
        return XDP_ABORTED;
    };
    // The frame's owner in IPv6, as the limits have it.
    let low = if frame.source.is_v4() { frame.source.low } else { 0 };
    let client = Address { low, ..frame.source };
    // SAFETY: the helper has no preconditions.
    let now_ns = unsafe { bpf_ktime_get_ns() };
    let Some(bucket) = BUCKETS.get_ptr_mut(client) else {
        let bucket = Bucket { credit_ns: most_ns - cost_ns, filled_ns: now_ns };
        return if BUCKETS.insert(client, bucket, 0).is_ok() { XDP_PASS } else { XDP_ABORTED };
    };
    // SAFETY: the pointer came from the map for this call; benchmarks run on one CPU.
    let bucket = unsafe { &mut *bucket };
    let saved_ns = bucket.credit_ns + (now_ns - bucket.filled_ns);
    bucket.credit_ns = if saved_ns > most_ns { most_ns } else { saved_ns };
    bucket.filled_ns = now_ns;
    if bucket.credit_ns >= cost_ns {
        bucket.credit_ns -= cost_ns;
        return XDP_PASS;
    }
    if let Some(refused) = REFUSED.get_ptr_mut(0) {
        // SAFETY: the element belongs to this CPU.
        unsafe { *refused += 1 };
    }
    XDP_DROP
}

/// Never reached.
#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}
