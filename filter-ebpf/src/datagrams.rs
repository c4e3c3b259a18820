//! QUIC clients' datagrams in maps: the budget, and copies for the daemon.
#![expect(unsafe_code, reason = "map values are reached by pointers that the verifier checks")]

use crate::count;
use crate::cursor::is_len;
use crate::opaque::{opaque, opaque_u32};
use crate::words::MapWord;
use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::helpers::generated::{bpf_ktime_get_coarse_ns, bpf_xdp_load_bytes};
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray, RingBuf};
use core::mem::{offset_of, size_of};
use filter_common::abi::quic::{
    BUDGET_SHARES, DATAGRAM_CAPACITY, DATAGRAM_RING_BYTES, DatagramBudget, DatagramCopy,
    DatagramRecord,
};
use filter_common::gcra::Rate;
use filter_common::quic::{Budget, Copied, Datagrams};
use filter_common::wire::frame::Frame;

/// Datagrams on their way to the daemon. When full one is lost and counted; hellos over TCP
/// have a ring buffer of their own.
#[map]
static DATAGRAMS: RingBuf = RingBuf::with_byte_size(DATAGRAM_RING_BYTES, 0);

/// One element: how many datagrams may be copied, and what was used of that. The rates are
/// written by the daemon, the words moved by the program; when a word is used up nothing more is
/// copied, which is counted.
#[map]
static QUIC_BUDGET: Array<DatagramBudget> = Array::with_max_entries(1, 0);

/// One element a CPU: room for a copy.
#[map]
static DATAGRAM: PerCpuArray<DatagramCopy> = PerCpuArray::with_max_entries(1, 0);

/// The maps that datagrams are copied with, for one frame.
pub(crate) struct MapDatagrams {
    context: *mut xdp_md,
}

impl MapDatagrams {
    /// The maps, and the context that datagrams are copied from.
    #[inline(always)]
    pub(crate) const fn new(context: *mut xdp_md) -> Self {
        Self { context }
    }
}

impl Datagrams for MapDatagrams {
    type Budget = MapBudget;

    #[inline(always)]
    fn budget(&self) -> Option<MapBudget> {
        QUIC_BUDGET.get_ptr_mut(0).map(MapBudget)
    }

    #[inline(always)]
    fn coarse_ns(&self) -> u64 {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_ktime_get_coarse_ns() }
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "it was bounded")]
    fn copy(&self, frame: &Frame) -> bool {
        let Some(copy) = DATAGRAM.get_ptr_mut(0) else {
            return false;
        };
        // SAFETY: the element belongs to this CPU, and the program isn't interrupted by another
        // run of itself.
        let copy = unsafe { &mut *copy };
        let len = opaque(frame.udp.len.min(DATAGRAM_CAPACITY) as usize);
        if !is_len(len, DATAGRAM_CAPACITY as usize) {
            return false;
        }
        let into = copy.bytes.as_mut_ptr().cast();
        // SAFETY: there is room for as much, and the helper checks offset and length against
        // the frame.
        if unsafe { bpf_xdp_load_bytes(self.context, frame.udp.offset, into, len as u32) } != 0 {
            return false;
        }
        copy.record = DatagramRecord {
            // SAFETY: the helper has no preconditions.
            time_ns: unsafe { bpf_ktime_get_ns() },
            source: frame.source,
            destination: frame.destination,
            source_port: frame.udp.source_port,
            destination_port: frame.udp.destination_port,
            // SAFETY: the context is the one that the kernel called the program with.
            ifindex: unsafe { (*self.context).ingress_ifindex },
            len: frame.udp.len,
            copied: len as u32,
        };
        let bytes = core::ptr::from_ref(copy).cast::<u8>();
        // SAFETY: the bytes lie behind the record.
        let bytes =
            unsafe { core::slice::from_raw_parts(bytes, size_of::<DatagramRecord>() + len) };
        DATAGRAMS.output::<[u8]>(bytes, 0).is_ok()
    }

    #[inline(always)]
    fn count(&self, copied: Copied) {
        count::count_datagram(copied);
    }
}

const _: () = assert!(offset_of!(DatagramCopy, bytes) == size_of::<DatagramRecord>());

/// The element of `QUIC_BUDGET`.
pub(crate) struct MapBudget(*mut DatagramBudget);

impl Budget for MapBudget {
    type Word = MapWord;

    #[inline(always)]
    fn rates(&self) -> (&Rate, &Rate) {
        // SAFETY: the pointer came from the map for this call. The daemon may write the rates
        // meanwhile; each field is meaningful alone.
        let all = unsafe { &(*self.0).all_rate };
        // SAFETY: as above.
        (all, unsafe { &(*self.0).share_rate })
    }

    #[inline(always)]
    fn all(&self) -> MapWord {
        // SAFETY: the pointer came from the map for this call.
        MapWord(unsafe { &raw mut (*self.0).all })
    }

    #[inline(always)]
    fn share(&self, share: u32) -> MapWord {
        let share = (opaque_u32(share) & (BUDGET_SHARES - 1)) as usize;
        // SAFETY: the pointer came from the map for this call.
        let shares = unsafe { &raw mut (*self.0).shares };
        // SAFETY: the mask bounds the index.
        MapWord(unsafe { shares.cast::<u64>().add(share) })
    }
}
