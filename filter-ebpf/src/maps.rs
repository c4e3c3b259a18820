//! The maps: each with its key, value, writer, reader, size, and what happens when it is
//! full. The daemon pins all of them by name; nothing here is pinned by itself. The maps of
//! the address policy are in `image`, those of limits in `limits`.

use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, PerCpuArray, RingBuf};
use filter_common::abi::address::LIST_CAPACITY;
use filter_common::abi::client::{ClientVerdict, VERDICT_CAPACITY};
use filter_common::abi::counter::{Counters, ListCounters};
use filter_common::abi::flow::{FLOW_SLOTS, FlowSlot};
use filter_common::abi::record::{RECORD_CAPACITY, RING_BYTES, SegmentRecord};
use filter_common::abi::width::{INDEX_WORDS, VerdictKey};
use filter_common::wire::frame::Frame;

/// One element: the ABI version, written and read by the daemon alone.
#[map]
pub(crate) static ABI: Array<u32> = Array::with_max_entries(1, 0);

/// A list's number, on each CPU, to what was counted of it. Written by the program,
/// summed by the daemon, which sets it to zero for a new list.
#[map]
pub(crate) static LIST_COUNTERS: PerCpuArray<ListCounters> =
    PerCpuArray::with_max_entries(LIST_CAPACITY, 0);

/// Client or prefix to what was decided about it. Written by the daemon; when full the
/// daemon removes expired ones, then refuses more.
#[map]
pub(crate) static VERDICTS: HashMap<VerdictKey, ClientVerdict> =
    HashMap::with_max_entries(VERDICT_CAPACITY, 0);

/// Hash of an IPv4 /24 or an IPv6 /48 to the widths of the verdicts inside it, a byte
/// each. Written by the daemon: before a verdict is, and after the last of its width is
/// gone.
#[map]
pub(crate) static VERDICT_INDEX: Array<u64> = Array::with_max_entries(INDEX_WORDS, 0);

/// Hash of a flow to the window of its hello. Written by the program; a new connection
/// overwrites the slot it falls on.
#[map]
pub(crate) static FLOWS: Array<FlowSlot> = Array::with_max_entries(FLOW_SLOTS, 0);

/// One element a CPU: what was counted. Written by the program, summed by the daemon.
#[map]
pub(crate) static COUNTERS: PerCpuArray<Counters> = PerCpuArray::with_max_entries(1, 0);

/// Segments on their way to the daemon. When full a segment is lost and counted.
#[map]
pub(crate) static RECORDS: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

/// One element a CPU: the frame that is being looked at.
#[map]
pub(crate) static FRAME: PerCpuArray<Frame> = PerCpuArray::with_max_entries(1, 0);

/// A record while it is put together.
#[repr(C)]
pub(crate) struct Scratch {
    /// The header.
    pub(crate) header: SegmentRecord,
    /// TCP header and payload.
    pub(crate) segment: [u8; RECORD_CAPACITY as usize],
}

/// One element a CPU: room for a record, which is too large for the stack.
#[map]
pub(crate) static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(1, 0);
