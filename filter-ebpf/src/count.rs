//! Counting: a packet once, by verdict and reason.
#![expect(unsafe_code, reason = "the CPU's counters are reached by a map pointer")]

use crate::maps::{COUNTERS, LIST_COUNTERS};
use crate::opaque::opaque;
use filter_common::abi::counter::{Count, Counters, Reason, Verdict};
use filter_common::quic::Copied;
use filter_common::wire::frame::Frame;

/// Counts a packet. Whatever happens here, its verdict stays.
#[inline(always)]
pub(crate) fn count(verdict: Verdict, reason: Reason, bytes: u32) {
    // Opaque to the optimiser, so that the verifier sees the bounds check on the very
    // number that is used.
    let cell = opaque(usize::from(reason.0) * Verdict::COUNT + usize::from(verdict.0));
    update(|counters| {
        if let Some(cell) = counters.by.as_flattened_mut().get_mut(cell) {
            cell.packets += 1;
            cell.bytes += u64::from(bytes);
        }
    });
}

/// Counts a hello that the daemon was told of, or for which there was no room.
#[inline(always)]
pub(crate) fn count_hello(told: bool) {
    update(|counters| {
        if told {
            counters.hellos_told += 1;
        } else {
            counters.hellos_lost += 1;
        }
    });
}

/// Counts a segment of a hello for which no local socket waits.
#[inline(always)]
pub(crate) fn count_unproven() {
    update(|counters| counters.hellos_unproven += 1);
}

/// Counts a segment of a hello that another CPU didn't let in.
#[inline(always)]
pub(crate) fn count_busy() {
    update(|counters| counters.hellos_busy += 1);
}

/// Counts a hello whose fingerprint found no room among those that are remembered.
#[inline(always)]
pub(crate) fn count_unremembered() {
    update(|counters| counters.hellos_unremembered += 1);
}

/// Counts a datagram that was to be copied, by what became of that.
#[inline(always)]
pub(crate) fn count_datagram(copied: Copied) {
    update(|counters| match copied {
        Copied::Told => counters.datagrams_copied += 1,
        Copied::OverBudget => counters.datagrams_over_budget += 1,
        Copied::Lost => counters.datagrams_lost += 1,
    });
}

/// Counts a packet for the lists that had a say about it.
#[inline(always)]
pub(crate) fn count_lists(frame: &Frame, dropped: bool, bytes: u32) {
    let one = Count { packets: 1, bytes: u64::from(bytes) };
    for list in [frame.class.list(), frame.class.shadow_list()] {
        if list == 0 {
            continue;
        }
        let Some(counters) = LIST_COUNTERS.get_ptr_mut(u32::from(list)) else {
            continue;
        };
        // SAFETY: the element belongs to this CPU, and the program isn't interrupted by
        // another run of itself.
        let counters = unsafe { &mut *counters };
        counters.matched.add(one);
        if list == frame.refused_by {
            let refused = if dropped { &mut counters.dropped } else { &mut counters.would_drop };
            refused.add(one);
        }
    }
}

#[inline(always)]
fn update(change: impl FnOnce(&mut Counters)) {
    if let Some(counters) = COUNTERS.get_ptr_mut(0) {
        // SAFETY: the element belongs to this CPU, and the program isn't interrupted by
        // another run of itself.
        change(unsafe { &mut *counters });
    }
}
