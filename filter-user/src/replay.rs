//! The filter without a kernel: `decide` on plain memory, in virtual time.
//!
//! Captures are read through it, and tests hold the XDP program against it.

use crate::limit::Compiled;
use crate::policy::image::{HostMemory, Image};
use crate::verdict::VerdictIndex;
use filter_common::abi::address::AddressClass;
use filter_common::abi::client::ClientVerdict;
use filter_common::abi::config::HostConfig;
use filter_common::abi::flow::{FLOW_SLOTS, FlowSlot};
use filter_common::abi::hello::HelloRecord;
use filter_common::abi::limit::OTHER;
use filter_common::abi::quic::{DatagramRecord, QUIC_PORTS};
use filter_common::abi::width::VerdictKey;
use filter_common::decide::{Decision, Tables, decide_whole};
use filter_common::hello::memory::HelloMemory;
use filter_common::hello::{self, FlowRef};
use filter_common::limit::memory::LimitMemory;
use filter_common::policy::look_up;
use filter_common::quic::memory::DatagramMemory;
use filter_common::wire::address::Address;
use filter_common::wire::cursor::SlicePacket;
use filter_common::wire::frame::Frame;
use std::cell::Cell;
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
    /// Limits, and what was used of them.
    pub limits: LimitMemory,
    /// Hellos that are being put together.
    pub hellos: HelloMemory,
    /// Copies of QUIC clients' datagrams.
    pub datagrams: DatagramMemory,
    verdicts: HashMap<VerdictKey, ClientVerdict>,
    index: VerdictIndex,
    now_ns: Cell<u64>,
    flows: Vec<Rc<Cell<FlowSlot>>>,
    segment: Cell<Option<(Frame, u32)>>,
}

impl Default for HostTables {
    fn default() -> Self {
        Self {
            config: HostConfig::default(),
            policy: None,
            limits: LimitMemory::default(),
            hellos: HelloMemory::default(),
            datagrams: DatagramMemory::default(),
            verdicts: HashMap::new(),
            index: VerdictIndex::default(),
            now_ns: Cell::new(0),
            flows: (0..FLOW_SLOTS).map(|_| Rc::default()).collect(),
            segment: Cell::new(None),
        }
    }
}

/// What became of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Verdict and reason.
    pub decision: Decision,
    /// The segment, if it may belong to a ClientHello, and the sequence number at which the
    /// hello starts.
    pub segment: Option<(Frame, u32)>,
    /// What was told of hellos: records, and the bytes of the stream that they count.
    pub told: Vec<(HelloRecord, Vec<u8>)>,
    /// The datagram, if it was copied.
    pub copied: Vec<(DatagramRecord, Vec<u8>)>,
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

    /// Puts limits in the place of those that are there.
    pub fn set_limits(&mut self, compiled: &Compiled) {
        self.config.guarded = u64::from(compiled.guarded);
        self.limits.secrets = self.config.limit_secrets;
        self.limits.profiles = compiled.profiles.iter().copied().collect();
        self.limits.plan = compiled.plan(OTHER);
        let plans = (0..OTHER).map(|service| (service, compiled.plan(service)));
        self.limits.plans = plans.filter(|(_, plan)| *plan != self.limits.plan).collect();
    }

    /// Lifts what was decided about it.
    pub fn clear_verdict(&mut self, key: &VerdictKey) {
        self.verdicts.remove(key);
        self.index.remove(key);
    }

    /// Whoever puts hellos together found that a flow's stream holds none: so many bytes from its
    /// start say so.
    pub fn hold_no_hello(&self, flow: u64, start: u32, len: u32) {
        if let Some(slot) = (&self).flow(flow) {
            slot.store(hello::is_none(slot.load(), flow, start, len));
        }
    }

    /// Puts a frame, Ethernet header first, through the filter at the given time.
    pub fn run(&self, frame: &[u8], now_ns: u64) -> Outcome {
        self.now_ns.set(now_ns);
        self.limits.now_ns.set(now_ns);
        self.segment.set(None);
        if !self.hellos.is_off {
            self.hellos.frame.replace(frame.to_vec());
            self.hellos.now_ns.set(now_ns);
        }
        if self.config.quic_ports != [0; QUIC_PORTS] {
            self.datagrams.frame.replace(frame.to_vec());
            self.datagrams.now_ns.set(now_ns);
        }
        let decision = decide_whole(&SlicePacket::new(frame), &self, &mut Frame::default());
        Outcome {
            decision,
            segment: self.segment.get(),
            told: self.hellos.told.take(),
            copied: self.datagrams.told.take(),
        }
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
    type Limits = LimitMemory;
    type Flow = HostFlow;
    type Hellos = HelloMemory;
    type Datagrams = DatagramMemory;

    fn limits(&self) -> &LimitMemory {
        &self.limits
    }

    fn config(&self) -> Option<&HostConfig> {
        Some(&self.config)
    }

    fn address_class(&self, address: &Address) -> AddressClass {
        let Some(image) = &self.policy else {
            return AddressClass::default();
        };
        look_up(&image.memory().lines(), address, || self.now_ns.get())
    }

    fn verdict_widths(&self, bucket: u32) -> u64 {
        self.index.widths(bucket)
    }

    fn verdict(&self, key: &VerdictKey) -> ClientVerdict {
        self.verdicts.get(key).copied().unwrap_or_default()
    }

    fn flow(&self, hash: u64) -> Option<Self::Flow> {
        let slot = usize::try_from(hash & u64::from(FLOW_SLOTS - 1)).ok()?;
        self.flows.get(slot).map(|slot| HostFlow(Rc::clone(slot)))
    }

    fn hellos(&self) -> &HelloMemory {
        &self.hellos
    }

    fn datagrams(&self) -> &DatagramMemory {
        &self.datagrams
    }

    fn selected(&self, frame: &Frame, stream_start: u32) {
        self.segment.set(Some((*frame, stream_start)));
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
