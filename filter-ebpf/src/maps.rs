//! The maps: each with its key, value, writer, reader, size, and what happens when it is
//! full. The daemon pins all of them by name; nothing here is pinned by itself. The maps of
//! the address policy are in `image`, those of limits in `limits`.

use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, LruHashMap, PerCpuArray, RingBuf};
use filter_common::abi::address::LIST_CAPACITY;
use filter_common::abi::client::{ClientVerdict, VERDICT_CAPACITY};
use filter_common::abi::counter::{Counters, ListCounters};
use filter_common::abi::flow::{FLOW_SLOTS, FlowSlot};
use filter_common::abi::hello::{self, HelloBody, HelloSet, RING_BYTES};
use filter_common::abi::rule::{RULE_CAPACITY, Rule, RuleCounters, RuleKey};
use filter_common::abi::syn::{SYN_SLOTS, SynSlot};
use filter_common::abi::width::{INDEX_WORDS, VerdictKey};
use filter_common::hello::Stage;
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
pub(crate) static FLOWS: Array<FlowSlot> = Array::with_max_entries(FLOW_SLOTS, BPF_F_MMAPABLE);

/// Hash of a flow to what its SYN looked like. Written by the program; a new connection
/// overwrites the slot it falls on.
#[map]
pub(crate) static SYNS: Array<SynSlot> = Array::with_max_entries(SYN_SLOTS, 0);

/// One element a CPU: what was counted. Written by the program, summed by the daemon.
#[map]
pub(crate) static COUNTERS: PerCpuArray<Counters> = PerCpuArray::with_max_entries(1, 0);

/// Hellos on their way to the daemon. When full a hello is lost and counted.
#[map]
pub(crate) static RECORDS: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

/// One element a CPU: the frame that is being looked at.
#[map]
pub(crate) static FRAME: PerCpuArray<Frame> = PerCpuArray::with_max_entries(1, 0);

/// A number of a set to the hellos that are being put together in it. Written by the program,
/// read by the daemon, which tells those that were never finished. When a set is full, who
/// finds no place is told to have none.
#[map]
pub(crate) static HELLO_SETS: Array<HelloSet> =
    Array::with_max_entries(hello::HELLO_SETS, BPF_F_MMAPABLE);

/// A number of a hello, its set's times the ways and its own way, to its bytes. Written by the
/// program.
#[map]
pub(crate) static HELLO_BODIES: Array<HelloBody> = Array::with_max_entries(hello::HELLO_SLOTS, 0);

/// One element a CPU: room to look at a segment, and to fingerprint a hello.
#[map]
pub(crate) static STAGE: PerCpuArray<Stage> = PerCpuArray::with_max_entries(1, 0);

/// What a rule on hellos is about, to what happens. Written by the daemon; when full it
/// refuses more.
#[map]
pub(crate) static RULES: HashMap<RuleKey, Rule> = HashMap::with_max_entries(RULE_CAPACITY, 0);

/// A rule's number, on each CPU, to what was counted of it. Written by the program, summed by
/// the daemon, which sets it to zero for a new rule.
#[map]
pub(crate) static RULE_COUNTERS: PerCpuArray<RuleCounters> =
    PerCpuArray::with_max_entries(RULE_CAPACITY, 0);

/// A hello's keyed name to the sums in its JA4. Written by the program; a full map forgets what
/// wasn't asked for longest, and who fills it with hellos of his own makes others' take
/// microseconds more.
#[map]
pub(crate) static KNOWN: LruHashMap<u64, [u64; 2]> =
    LruHashMap::with_max_entries(hello::KNOWN_CAPACITY, 0);
