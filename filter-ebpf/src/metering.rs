//! Programs that differ only in how they meter a client: what benchmarks compare.
//!
//! Each makes a source up, as if it had read it from the packet, and drops the packet if that
//! has gone over its limit.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch, core_intrinsics)]
#![expect(internal_features, reason = "compare-and-swap has no stable form on this target")]
#![expect(unsafe_code, reason = "map values are reached by pointers that the verifier checks")]
#![expect(clippy::needless_pass_by_value, reason = "the macro calls programs with a value")]

mod license;
mod limits;
mod offender;
mod opaque;
mod proof;
mod words;

use aya_ebpf::bindings::xdp_action::{XDP_ABORTED, XDP_DROP, XDP_PASS};
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::{Array, LruHashMap, PerCpuArray};
use aya_ebpf::programs::XdpContext;
use core::hint::black_box;
use filter_common::abi::counter::Reason;
use filter_common::abi::limit::{RATE_SETS, WAYS};
use filter_common::limit;
use filter_common::limit::key::permute;
use filter_common::verdict::Standing;
use filter_common::wire::address::Address;
use filter_common::wire::frame::Frame;
use limits::MapLimits;

/// What packets seem to be.
#[repr(C)]
#[derive(Clone, Copy)]
struct Traffic {
    /// How many there have been.
    turn: u64,
    /// The bits of that which count: with as many sources it begins again.
    turns: u64,
    /// Another one makes other sources.
    seed: u64,
    /// What they ask for.
    service: u32,
    /// Whether they are IPv6; zero: no.
    is_v6: u32,
}

/// One element. Written by the benchmark, which runs on one CPU at a time.
#[map]
static TRAFFIC: Array<Traffic> = Array::with_max_entries(1, 0);

/// One element a CPU: the frame that is being looked at.
#[map]
static FRAME: PerCpuArray<Frame> = PerCpuArray::with_max_entries(1, 0);

/// The next frame, as parsing leaves it.
#[inline(always)]
fn next_frame<'a>() -> Option<&'a mut Frame> {
    // SAFETY: benchmarks run on one CPU at a time.
    let traffic = unsafe { &mut *TRAFFIC.get_ptr_mut(0)? };
    traffic.turn += 1;
    let turn = (traffic.turn & traffic.turns).wrapping_add(traffic.seed);
    // SAFETY: the element belongs to this CPU.
    let frame = unsafe { &mut *FRAME.get_ptr_mut(0)? };
    frame.source = if traffic.is_v6 == 0 {
        Address::v4(mix32((turn & 0xffff_ffff) as u32))
    } else {
        Address { high: mix64(turn), low: traffic.turn }
    };
    frame.service = traffic.service;
    frame.bytes = 100;
    frame.now_ns = 0;
    frame.refused = Reason::NO_RULE;
    Some(black_box(frame))
}

/// Different numbers to different numbers, that look random.
///
/// *Source*: `fmix32` of `MurmurHash3`.
#[inline(always)]
const fn mix32(number: u32) -> u32 {
    let x = (number ^ number >> 16).wrapping_mul(0x85eb_ca6b);
    let x = (x ^ x >> 13).wrapping_mul(0xc2b2_ae35);
    x ^ x >> 16
}

/// The same of 64 bits.
#[inline(always)]
const fn mix64(number: u64) -> u64 {
    permute(&[0, 1], number)
}

/// The same without a limit.
#[xdp(frags)]
fn unmetered(_context: XdpContext) -> u32 {
    let Some(frame) = next_frame() else {
        return XDP_ABORTED;
    };
    // The address is used, or it would not be read.
    if (frame.source.high ^ frame.source.low) & 1 == 0 { XDP_PASS } else { XDP_DROP }
}

/// The limits of the frame's service.
#[xdp(frags)]
fn metered(context: XdpContext) -> u32 {
    let Some(frame) = next_frame() else {
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

/// As many as there are meters.
const BUCKET_COUNT: u32 = WAYS * RATE_SETS;

/// What a packet costs and what can be saved up, in nanoseconds. Written by the benchmark.
#[map]
static PRICE: Array<[u64; 2]> = Array::with_max_entries(1, 0);

/// One element a CPU: packets that the bucket refused.
#[map]
static REFUSED: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// A token bucket a client in the kernel's LRU hash.
#[xdp(frags)]
fn lru_hash(_context: XdpContext) -> u32 {
    let Some(frame) = next_frame() else {
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
