//! Map pointers: `decide`'s look-ups on the maps.
#![expect(unsafe_code, reason = "map values are reached by pointers that the verifier checks")]

use crate::image;
use crate::maps::{CLIENTS, CONFIG, FLOWS, FRAME, LIST_LIMITS, VERDICT_INDEX, VERDICTS};
use crate::record;
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::programs::XdpContext;
use core::intrinsics::{AtomicOrdering, atomic_cxchg};
use filter_common::abi::address::AddressClass;
use filter_common::abi::client::{ClientKey, ClientMeters, ClientVerdict, Meter};
use filter_common::abi::config::HostConfig;
use filter_common::abi::flow::{FLOW_SLOTS, FlowSlot};
use filter_common::abi::width::VerdictKey;
use filter_common::decide::{Meters, Tables};
use filter_common::gcra::Limit;
use filter_common::hello::FlowRef;
use filter_common::wire::address::Address;
use filter_common::wire::frame::Frame;

/// Room for the parsed frame.
#[inline(always)]
pub(crate) fn frame<'a>() -> Option<&'a mut Frame> {
    // SAFETY: the element belongs to this CPU, and the program isn't interrupted by
    // another run of itself. Zeroes are a valid frame, and only frames are written.
    FRAME.get_ptr_mut(0).map(|frame| unsafe { &mut *frame })
}

/// The maps of this program, for one frame.
pub(crate) struct MapTables<'a> {
    context: &'a XdpContext,
    scratch: *mut u64,
}

impl<'a> MapTables<'a> {
    /// The maps, the context that segments are copied from, and where the frame's
    /// scratch memory is.
    #[inline(always)]
    pub(crate) const fn new(context: &'a XdpContext, scratch: *mut u64) -> Self {
        Self { context, scratch }
    }
}

impl Tables for MapTables<'_> {
    type Meters = MapMeters;
    type Flow = MapFlow;

    #[inline(always)]
    fn config(&self) -> Option<&HostConfig> {
        CONFIG.get(0)
    }

    #[inline(always)]
    fn address_class(&self, address: &Address) -> AddressClass {
        image::look_up(address, self.scratch)
    }

    #[inline(always)]
    fn list_limit(&self, list: u16) -> Limit {
        LIST_LIMITS.get(u32::from(list)).copied().unwrap_or_default()
    }

    #[inline(always)]
    fn verdict_widths(&self, bucket: u32) -> u64 {
        // The word may be torn between bytes, which are buckets of their own.
        let word = VERDICT_INDEX.get(bucket / 8).copied().unwrap_or_default();
        word >> (bucket % 8 * 8) & 0xff
    }

    #[inline(always)]
    fn verdict(&self, key: &VerdictKey) -> ClientVerdict {
        // SAFETY: the value is copied out at once. If the daemon replaces it meanwhile
        // the copy may mix old and new fields, each of which is valid alone.
        unsafe { VERDICTS.get(key) }.copied().unwrap_or_default()
    }

    #[inline(always)]
    fn meters(&self, client: &ClientKey) -> Option<MapMeters> {
        if let Some(found) = CLIENTS.get_ptr_mut(client) {
            return Some(MapMeters(found));
        }
        // Another CPU may have been first; then its element is the one found below.
        let _ = CLIENTS.insert(client, ClientMeters::default(), 1);
        CLIENTS.get_ptr_mut(client).map(MapMeters)
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the mask leaves 14 bits")]
    fn flow(&self, hash: u64) -> Option<MapFlow> {
        FLOWS.get_ptr_mut(hash as u32 & (FLOW_SLOTS - 1)).map(MapFlow)
    }

    #[inline(always)]
    fn now_ns(&self) -> u64 {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_ktime_get_ns() }
    }

    #[inline(always)]
    fn record(&self, frame: &Frame, stream_start: u32) {
        record::copy_segment(self.context, frame, stream_start);
    }
}

/// An address in network order, in words of four bytes.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "halves of a word")]
pub(crate) const fn network_words(address: &Address) -> [u32; 4] {
    let Address { high, low } = *address;
    [
        ((high >> 32) as u32).to_be(),
        (high as u32).to_be(),
        ((low >> 32) as u32).to_be(),
        (low as u32).to_be(),
    ]
}

/// A client's element of `CLIENTS`.
pub(crate) struct MapMeters(*mut ClientMeters);

/// Lost races after which a packet passes uncharged: more than four CPUs at once on one client.
const ATTEMPTS: u32 = 4;

impl Meters for MapMeters {
    #[inline(always)]
    fn charge(&self, meter: Meter, limit: &Limit, now_ns: u64) -> bool {
        let index = usize::from(meter.0) % Meter::COUNT;
        // SAFETY: the pointer came from the map for this call; the index is in bounds.
        let word = unsafe { &raw mut (*self.0).arrival_ns[index] };
        // SAFETY: as above. Other CPUs write the word whole.
        let mut seen = unsafe { word.read_volatile() };
        for _ in 0..ATTEMPTS {
            let Some(next) = limit.charge(seen, now_ns) else {
                return false;
            };
            // SAFETY: as above.
            let (before, won) = unsafe {
                atomic_cxchg::<_, { AtomicOrdering::SeqCst }, { AtomicOrdering::SeqCst }>(
                    word, seen, next,
                )
            };
            if won {
                return true;
            }
            seen = before;
        }
        true
    }
}

/// A flow's element of `FLOWS`.
pub(crate) struct MapFlow(*mut FlowSlot);

impl FlowRef for MapFlow {
    #[inline(always)]
    fn load(&self) -> FlowSlot {
        // SAFETY: the pointer came from the map for this call; a torn slot is allowed.
        unsafe { self.0.read_volatile() }
    }

    #[inline(always)]
    fn store(&self, slot: FlowSlot) {
        // SAFETY: the pointer came from the map for this call; a torn slot is allowed.
        unsafe { self.0.write_volatile(slot) }
    }
}
