//! Tables of plain memory, in which all flows fall on one slot.

use crate::abi::address::AddressClass;
use crate::abi::client::{ClientKey, ClientMeters, ClientVerdict, Meter};
use crate::abi::config::HostConfig;
use crate::abi::flow::FlowSlot;
use crate::abi::width::{VerdictKey, Width};
use crate::decide::{Decision, Meters, Tables, decide};
use crate::gcra::Limit;
use crate::hello::FlowRef;
use crate::verdict;
use crate::wire::address::Address;
use crate::wire::cursor::SlicePacket;
use crate::wire::frame::Frame;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::vec::Vec;

/// Everything that `decide` looks up, and what it recorded.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) config: HostConfig,
    pub(crate) class: AddressClass,
    pub(crate) list_limit: Limit,
    /// Stands for every address, unless there are [`Memory::verdicts`].
    pub(crate) verdict: ClientVerdict,
    pub(crate) verdicts: HashMap<VerdictKey, ClientVerdict>,
    pub(crate) now_ns: u64,
    meters: RefCell<HashMap<ClientKey, Rc<Cell<ClientMeters>>>>,
    slot: Rc<Cell<FlowSlot>>,
    recorded: RefCell<Vec<(u32, u32)>>,
    clock_reads: Cell<u32>,
    look_ups: Cell<u32>,
}

impl Memory {
    pub(crate) fn new(config: HostConfig, now_ns: u64) -> Self {
        Self { config: HostConfig { verdicts: 1, ..config }, now_ns, ..Self::default() }
    }

    pub(crate) fn run(&self, frame: &[u8]) -> Decision {
        decide(&SlicePacket::new(frame), &self, &mut Frame::default())
    }

    /// Sequence number and start of the hello of each segment recorded since last asked.
    pub(crate) fn recorded(&self) -> Vec<(u32, u32)> {
        self.recorded.take()
    }
}

impl Memory {
    /// How often the clock was read.
    pub(crate) fn clock_reads(&self) -> u32 {
        self.clock_reads.get()
    }

    /// How often a verdict was looked up.
    pub(crate) fn look_ups(&self) -> u32 {
        self.look_ups.get()
    }
}

impl Tables for &Memory {
    type Meters = Rc<Cell<ClientMeters>>;
    type Flow = Rc<Cell<FlowSlot>>;

    fn config(&self) -> Option<&HostConfig> {
        Some(&self.config)
    }

    fn address_class(&self, _: &Address) -> AddressClass {
        self.class
    }

    fn list_limit(&self, _: u16) -> Limit {
        self.list_limit
    }

    fn verdict_widths(&self, bucket: u32) -> u64 {
        if self.verdicts.is_empty() {
            return Width::HOST.bit;
        }
        let here =
            |key: &&VerdictKey| verdict::bucket(self.config.secret, &key.address()) == bucket;
        let bit =
            |key: &VerdictKey| Width::ALL.iter().find(|width| width.len == key.len).unwrap().bit;
        self.verdicts.keys().filter(here).fold(0, |widths, key| widths | bit(key))
    }

    fn verdict(&self, key: &VerdictKey) -> ClientVerdict {
        self.look_ups.set(self.look_ups.get() + 1);
        self.verdicts.get(key).copied().unwrap_or(self.verdict)
    }

    fn meters(&self, client: &ClientKey) -> Option<Self::Meters> {
        Some(Rc::clone(self.meters.borrow_mut().entry(*client).or_default()))
    }

    fn flow(&self, _: u64) -> Option<Self::Flow> {
        Some(Rc::clone(&self.slot))
    }

    fn now_ns(&self) -> u64 {
        self.clock_reads.set(self.clock_reads.get() + 1);
        self.now_ns
    }

    fn record(&self, frame: &Frame, stream_start: u32) {
        self.recorded.borrow_mut().push((frame.tcp.sequence, stream_start));
    }
}

impl Meters for Rc<Cell<ClientMeters>> {
    fn charge(&self, meter: Meter, limit: &Limit, now_ns: u64) -> bool {
        let mut meters = self.get();
        let word = &mut meters.arrival_ns[usize::from(meter.0)];
        let Some(next) = limit.charge(*word, now_ns) else {
            return false;
        };
        *word = next;
        self.set(meters);
        true
    }
}

impl FlowRef for Rc<Cell<FlowSlot>> {
    fn load(&self) -> FlowSlot {
        self.get()
    }

    fn store(&self, slot: FlowSlot) {
        self.set(slot);
    }
}
