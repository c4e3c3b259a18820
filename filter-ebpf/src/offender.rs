//! Noting who went over a limit.
#![expect(unsafe_code, reason = "the report is reached by a map pointer")]

use core::intrinsics::{AtomicOrdering, atomic_xadd};
use filter_common::abi::limit::{OFFENDER_IDLE_NS, Offender};
use filter_common::limit::key::Place;

/// Notes an offender in a place; `false` when somebody else has it.
#[inline(always)]
pub(crate) fn note(offender: *mut Offender, place: &Place, now_ns: u64) -> bool {
    let set = u64::from(place.set);
    // SAFETY: the pointer came from the map for this call. Other CPUs may write meanwhile;
    // the entry is a report.
    let seen = unsafe { offender.read_volatile() };
    if seen.tag == place.tag && seen.set == set {
        again(offender, now_ns.max(seen.last_ns));
        return true;
    }
    if seen.count != 0 && now_ns.saturating_sub(seen.last_ns) < OFFENDER_IDLE_NS {
        return false;
    }
    let new =
        Offender { tag: place.tag, set, first_ns: now_ns, last_ns: now_ns, count: 1, reserved: 0 };
    // SAFETY: as above.
    unsafe { offender.write_volatile(new) };
    true
}

/// One more packet of the same key; `now_ns` is the later one of two CPUs' clocks.
#[inline(always)]
fn again(offender: *mut Offender, now_ns: u64) {
    // SAFETY: the field is part of the element.
    let last_ns = unsafe { &raw mut (*offender).last_ns };
    // SAFETY: as above. Of two CPUs that write at once one is right enough.
    unsafe { last_ns.write_volatile(now_ns) };
    // SAFETY: the field is part of the element.
    let count = unsafe { &raw mut (*offender).count };
    // SAFETY: as above; all CPUs add atomically.
    unsafe { atomic_xadd::<_, _, { AtomicOrdering::SeqCst }>(count, 1_u64) };
}
