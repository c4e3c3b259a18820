//! Tables of plain memory, in which all flows fall on one slot.

use crate::abi::address::AddressClass;
use crate::abi::client::{ClientKey, ClientMeters, ClientVerdict, Meter};
use crate::abi::config::HostConfig;
use crate::abi::flow::FlowSlot;
use crate::decide::{Decision, Meters, Tables, decide};
use crate::gcra::Limit;
use crate::hello::FlowRef;
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
    pub(crate) verdict: ClientVerdict,
    pub(crate) now_ns: u64,
    meters: RefCell<HashMap<ClientKey, Rc<Cell<ClientMeters>>>>,
    slot: Rc<Cell<FlowSlot>>,
    recorded: RefCell<Vec<(u32, u32)>>,
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

impl Tables for &Memory {
    type Meters = Rc<Cell<ClientMeters>>;
    type Flow = Rc<Cell<FlowSlot>>;

    fn config(&self) -> Option<&HostConfig> {
        Some(&self.config)
    }

    fn address_class(&self, _: &Address) -> AddressClass {
        self.class
    }

    fn client_verdict(&self, _: &ClientKey) -> ClientVerdict {
        self.verdict
    }

    fn meters(&self, client: &ClientKey) -> Option<Self::Meters> {
        Some(Rc::clone(self.meters.borrow_mut().entry(*client).or_default()))
    }

    fn flow(&self, _: u64) -> Option<Self::Flow> {
        Some(Rc::clone(&self.slot))
    }

    fn now_ns(&self) -> u64 {
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
