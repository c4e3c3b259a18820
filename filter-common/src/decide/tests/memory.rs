//! Tables of plain memory, in which all flows fall on one slot.

use crate::abi::address::AddressClass;
use crate::abi::client::ClientVerdict;
use crate::abi::config::HostConfig;
use crate::abi::flow::FlowSlot;
use crate::abi::limit::{Plan, Profile};
use crate::abi::width::{VerdictKey, Width};
use crate::decide::{Decision, Tables, decide_whole};
use crate::hello::FlowRef;
use crate::hello::memory::HelloMemory;
use crate::limit::memory::LimitMemory;
use crate::quic::memory::DatagramMemory;
use crate::verdict;
use crate::wire::address::Address;
use crate::wire::cursor::SlicePacket;
use crate::wire::frame::Frame;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::vec::Vec;

/// Everything that `decide` looks up, and what it selected.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) config: HostConfig,
    pub(crate) class: AddressClass,
    /// Stands for every address, unless there are [`Memory::verdicts`].
    pub(crate) verdict: ClientVerdict,
    pub(crate) verdicts: HashMap<VerdictKey, ClientVerdict>,
    pub(crate) limits: LimitMemory,
    pub(crate) hellos: HelloMemory,
    pub(crate) datagrams: DatagramMemory,
    slot: Rc<Cell<FlowSlot>>,
    recorded: RefCell<Vec<(u32, u32)>>,
    look_ups: Cell<u32>,
}

impl Memory {
    pub(crate) fn new(config: HostConfig, now_ns: u64) -> Self {
        let memory = Self { config: HostConfig { verdicts: 1, ..config }, ..Self::default() };
        memory.limits.now_ns.set(now_ns);
        memory
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, ns: u64) {
        self.limits.now_ns.set(self.limits.now_ns.get() + ns);
    }

    /// Limits that everything is charged to, in this order.
    pub(crate) fn charge(&mut self, profiles: &[(u32, Profile)]) {
        self.limits.profiles.extend(profiles.iter().copied());
        let charged = profiles.iter().rev().map(|(number, _)| u64::from(*number));
        self.limits.plan = charged.fold(Plan::default(), Plan::after);
    }

    pub(crate) fn run(&self, frame: &[u8]) -> Decision {
        self.hellos.frame.replace(frame.to_vec());
        self.datagrams.frame.replace(frame.to_vec());
        decide_whole(&SlicePacket::new(frame), &self, &mut Frame::default())
    }

    /// Sequence number and start of the hello of each segment selected since last asked.
    pub(crate) fn recorded(&self) -> Vec<(u32, u32)> {
        self.recorded.take()
    }
}

impl Memory {
    /// How often the clock was read.
    pub(crate) fn clock_reads(&self) -> u32 {
        self.limits.clock_reads.get()
    }

    /// How often a verdict was looked up.
    pub(crate) fn look_ups(&self) -> u32 {
        self.look_ups.get()
    }
}

impl Tables for &Memory {
    type Limits = LimitMemory;
    type Flow = Rc<Cell<FlowSlot>>;
    type Hellos = HelloMemory;
    type Datagrams = DatagramMemory;

    fn limits(&self) -> &LimitMemory {
        &self.limits
    }

    fn config(&self) -> Option<&HostConfig> {
        Some(&self.config)
    }

    fn address_class(&self, _: &Address) -> AddressClass {
        self.class
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

    fn flow(&self, _: u64) -> Option<Self::Flow> {
        Some(Rc::clone(&self.slot))
    }

    fn hellos(&self) -> &HelloMemory {
        &self.hellos
    }

    fn datagrams(&self) -> &DatagramMemory {
        &self.datagrams
    }

    fn selected(&self, frame: &Frame, stream_start: u32) {
        self.recorded.borrow_mut().push((frame.tcp.sequence, stream_start));
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
