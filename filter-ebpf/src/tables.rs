//! Map pointers: `decide`'s look-ups on the maps.
#![expect(unsafe_code, reason = "map values are reached by pointers that the verifier checks")]

use crate::datagrams::MapDatagrams;
use crate::hellos::MapHellos;
use crate::image;
use crate::limits::{self, MapLimits};
use crate::maps::{FLOWS, FRAME, VERDICT_INDEX, VERDICTS};
use aya_ebpf::programs::XdpContext;
use filter_common::abi::address::AddressClass;
use filter_common::abi::client::ClientVerdict;
use filter_common::abi::config::HostConfig;
use filter_common::abi::flow::{FLOW_SLOTS, FlowSlot};
use filter_common::abi::width::VerdictKey;
use filter_common::decide::Tables;
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
pub(crate) struct MapTables {
    datagrams: MapDatagrams,
    hellos: MapHellos,
    scratch: *mut u64,
    limits: MapLimits,
}

impl MapTables {
    /// The maps, the context that segments are copied from, and where the frame's
    /// scratch memory is.
    #[inline(always)]
    pub(crate) fn new(context: &XdpContext, scratch: *mut u64) -> Self {
        Self {
            datagrams: MapDatagrams::new(context.ctx),
            hellos: MapHellos::new(context.ctx),
            scratch,
            limits: MapLimits::new(context.ctx, scratch),
        }
    }
}

impl Tables for MapTables {
    type Hellos = MapHellos;
    type Datagrams = MapDatagrams;
    type Limits = MapLimits;
    type Flow = MapFlow;

    #[inline(always)]
    fn limits(&self) -> &MapLimits {
        &self.limits
    }

    #[inline(always)]
    fn config(&self) -> Option<&HostConfig> {
        limits::config()
    }

    #[inline(always)]
    fn address_class(&self, address: &Address) -> AddressClass {
        image::look_up(address, self.scratch)
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
    #[expect(clippy::cast_possible_truncation, reason = "the mask leaves 14 bits")]
    fn flow(&self, hash: u64) -> Option<MapFlow> {
        FLOWS.get_ptr_mut(hash as u32 & (FLOW_SLOTS - 1)).map(MapFlow)
    }

    #[inline(always)]
    fn hellos(&self) -> &MapHellos {
        &self.hellos
    }

    #[inline(always)]
    fn datagrams(&self) -> &MapDatagrams {
        &self.datagrams
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
