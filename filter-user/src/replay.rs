//! The filter without a kernel: `decide` on plain memory, in virtual time.
//!
//! Captures are read through it, and tests hold the XDP program against it.

use crate::policy::image::{HostMemory, Image};
use crate::verdict::VerdictIndex;
use filter_common::abi::address::AddressClass;
use filter_common::abi::client::{ClientKey, ClientMeters, ClientVerdict, Meter};
use filter_common::abi::config::HostConfig;
use filter_common::abi::flow::{FLOW_SLOTS, FlowSlot};
use filter_common::abi::width::VerdictKey;
use filter_common::decide::{Decision, Meters, Tables, decide};
use filter_common::gcra::Limit;
use filter_common::hello::FlowRef;
use filter_common::policy::look_up;
use filter_common::wire::address::Address;
use filter_common::wire::cursor::SlicePacket;
use filter_common::wire::frame::Frame;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

/// The filter's maps in memory.
#[derive(Debug)]
pub struct HostTables {
    /// The host's settings.
    pub config: HostConfig,
    /// The compiled address policy, if there is one.
    pub policy: Option<Image<HostMemory>>,
    /// The limits of lists, by their numbers.
    pub list_limits: HashMap<u16, Limit>,
    verdicts: HashMap<VerdictKey, ClientVerdict>,
    index: VerdictIndex,
    now_ns: Cell<u64>,
    meters: RefCell<HashMap<ClientKey, Rc<Cell<ClientMeters>>>>,
    flows: Vec<Rc<Cell<FlowSlot>>>,
    segment: Cell<Option<(Frame, u32)>>,
}

impl Default for HostTables {
    fn default() -> Self {
        Self {
            config: HostConfig::default(),
            policy: None,
            list_limits: HashMap::new(),
            verdicts: HashMap::new(),
            index: VerdictIndex::default(),
            now_ns: Cell::new(0),
            meters: RefCell::default(),
            flows: (0..FLOW_SLOTS).map(|_| Rc::default()).collect(),
            segment: Cell::new(None),
        }
    }
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Verdict and reason.
    pub decision: Decision,
    /// The segment of a ClientHello that was recorded, and the sequence number at which
    /// the hello starts.
    pub segment: Option<(Frame, u32)>,
}

impl HostTables {
    /// Decides about a client or a prefix. The settings have to be in place: their secret
    /// keys the index.
    pub fn set_verdict(&mut self, key: VerdictKey, verdict: ClientVerdict) {
        if self.index.is_empty() {
            self.index = VerdictIndex::new(self.config.secret);
        }
        self.config.verdicts = 1;
        self.index.add(key);
        self.verdicts.insert(key, verdict);
    }

    /// Lifts what was decided about it.
    pub fn clear_verdict(&mut self, key: &VerdictKey) {
        self.verdicts.remove(key);
        self.index.remove(key);
    }

    /// Puts a frame, Ethernet header first, through the filter at the given time.
    pub fn run(&self, frame: &[u8], now_ns: u64) -> Outcome {
        self.now_ns.set(now_ns);
        self.segment.set(None);
        let decision = decide(&SlicePacket::new(frame), &self, &mut Frame::default());
        Outcome { decision, segment: self.segment.get() }
    }
}

/// The address as the standard library has it.
#[must_use]
pub fn ip_addr(address: &Address) -> IpAddr {
    if address.is_v4() {
        return Ipv4Addr::from_bits(address.tail()).into();
    }
    Ipv6Addr::from_bits(u128::from(address.high) << 64 | u128::from(address.low)).into()
}

impl Tables for &HostTables {
    type Meters = HostMeters;
    type Flow = HostFlow;

    fn config(&self) -> Option<&HostConfig> {
        Some(&self.config)
    }

    fn address_class(&self, address: &Address) -> AddressClass {
        let Some(image) = &self.policy else {
            return AddressClass::default();
        };
        look_up(&image.memory().lines(), address, || self.now_ns.get())
    }

    fn list_limit(&self, list: u16) -> Limit {
        self.list_limits.get(&list).copied().unwrap_or_default()
    }

    fn verdict_widths(&self, bucket: u32) -> u64 {
        self.index.widths(bucket)
    }

    fn verdict(&self, key: &VerdictKey) -> ClientVerdict {
        self.verdicts.get(key).copied().unwrap_or_default()
    }

    fn meters(&self, client: &ClientKey) -> Option<Self::Meters> {
        Some(HostMeters(Rc::clone(self.meters.borrow_mut().entry(*client).or_default())))
    }

    fn flow(&self, hash: u64) -> Option<Self::Flow> {
        let slot = usize::try_from(hash & u64::from(FLOW_SLOTS - 1)).ok()?;
        self.flows.get(slot).map(|slot| HostFlow(Rc::clone(slot)))
    }

    fn now_ns(&self) -> u64 {
        self.now_ns.get()
    }

    fn record(&self, frame: &Frame, stream_start: u32) {
        self.segment.set(Some((*frame, stream_start)));
    }
}

/// A client's meters on the host.
#[derive(Debug)]
pub struct HostMeters(Rc<Cell<ClientMeters>>);

impl Meters for HostMeters {
    fn charge(&self, meter: Meter, limit: &Limit, now_ns: u64) -> bool {
        let mut meters = self.0.get();
        let Some(word) = meters.arrival_ns.get_mut(usize::from(meter.0)) else {
            return true;
        };
        let Some(next) = limit.charge(*word, now_ns) else {
            return false;
        };
        *word = next;
        self.0.set(meters);
        true
    }
}

/// A flow's slot on the host.
#[derive(Debug)]
pub struct HostFlow(Rc<Cell<FlowSlot>>);

impl FlowRef for HostFlow {
    fn load(&self) -> FlowSlot {
        self.0.get()
    }

    fn store(&self, slot: FlowSlot) {
        self.0.set(slot);
    }
}
