//! What is remembered of fingerprints, and of clients that show them.
#![expect(unsafe_code, reason = "map values are reached by pointers that the verifier checks")]

use crate::{count, limits};
use aya_ebpf::helpers::generated::bpf_ktime_get_coarse_ns;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{HashMap, LruHashMap, PerCpuArray};
use core::intrinsics::{AtomicOrdering, atomic_xadd};
use core::mem::size_of;
use filter_common::abi::client::ClientKey;
use filter_common::abi::counter::Verdict;
use filter_common::abi::fingerprint::{
    CLIENT_CAPACITY, ClientRecord, FINGERPRINT_CAPACITY, FingerprintRecord, Seen,
};
use filter_common::abi::rule::Parts;
use filter_common::wire::address::Address;
use filter_common::wire::frame::Frame;

/// A JA4, or a cause, to what is remembered of it. Written by the program; when it is full a new
/// one isn't remembered, and counted. The daemon makes room.
#[map]
static FINGERPRINTS: HashMap<Parts, FingerprintRecord> =
    HashMap::with_max_entries(FINGERPRINT_CAPACITY, 0);

/// A client to its last fingerprints. Written by the program; a full map forgets the client that
/// wasn't seen for longest.
#[map]
static CLIENT_HELLOS: LruHashMap<ClientKey, ClientRecord> =
    LruHashMap::with_max_entries(CLIENT_CAPACITY, 0);

/// One element a CPU: a record of which nothing is known yet, too large for the stack.
#[map]
static NOTHING: PerCpuArray<FingerprintRecord> = PerCpuArray::with_max_entries(1, 0);

/// Remembers a hello.
///
/// A function of its own: what it needs of the stack is free again when it returns.
#[inline(never)]
pub(crate) fn remember(
    frame: &mut Frame,
    source: &Address,
    parts: &Parts,
    wire: u64,
    verdict: Verdict,
) {
    let secret = limits::config().map_or(0, |config| config.secret);
    // SAFETY: the helper has no preconditions.
    let now_ns = unsafe { bpf_ktime_get_coarse_ns() };
    let of = source.client();
    let seen = Seen::of(secret, parts, &of, wire, verdict).at(now_ns);
    frame.fingerprint = seen.name;
    fingerprint(parts, &seen);
    client(&of, &seen);
}

/// Remembers a hello's fingerprint.
#[inline(always)]
fn fingerprint(parts: &Parts, seen: &Seen) {
    if FINGERPRINTS.get_ptr_mut(parts).is_none()
        && let Some(nothing) = NOTHING.get(0)
    {
        // The flag is BPF_NOEXIST: another CPU may have been faster.
        let _ = FINGERPRINTS.insert(parts, nothing, 1);
    }
    let Some(record) = FINGERPRINTS.get_ptr_mut(parts) else {
        return count::count_unremembered();
    };
    // SAFETY: the record lives as long as this run. What two CPUs store at once may mix, which
    // a report may.
    let record = unsafe { &mut *record };
    record.note(seen);
    add(&raw mut record.hellos);
    if seen.verdict == Verdict::WOULD_DROP {
        add(&raw mut record.would_end);
    } else if seen.verdict != Verdict::PASS {
        add(&raw mut record.ended);
    }
}

const _: () = assert!(size_of::<ClientRecord>() <= size_of::<FingerprintRecord>());

/// Remembers a client's hello.
#[inline(always)]
fn client(client: &ClientKey, seen: &Seen) {
    if CLIENT_HELLOS.get_ptr_mut(client).is_none()
        && let Some(nothing) = NOTHING.get_ptr(0)
    {
        // SAFETY: the record is the shorter one, and zeroes are one.
        let nothing = unsafe { &*nothing.cast::<ClientRecord>() };
        // A full map makes room; if it can't, the client isn't remembered.
        let _ = CLIENT_HELLOS.insert(client, nothing, 1);
    }
    if let Some(record) = CLIENT_HELLOS.get_ptr_mut(client) {
        // SAFETY: as above.
        unsafe { (*record).note(seen) };
    }
}

#[inline(always)]
fn add(count: *mut u64) {
    // SAFETY: the word belongs to a record, and every CPU adds to it atomically.
    unsafe { atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(count, 1) };
}
