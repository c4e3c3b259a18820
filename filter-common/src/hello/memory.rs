//! Hellos in memory: what the host puts them together in.

use super::evidence::Expected;
use super::{Hellos, Stage, evidence};
use crate::abi::client::ClientKey;
use crate::abi::counter::Verdict;
use crate::abi::fingerprint::{ClientRecord, FingerprintRecord, Seen};
use crate::abi::hello::{
    COPY_LEN, HELLO_SETS, HELLO_SLOTS, HELLO_WINDOW, HelloBody, HelloHead, HelloRecord, HelloSet,
    SEGMENT_CAPACITY, StreamBytes,
};
use crate::abi::rule::{Parts, Rule, RuleKey};
use crate::abi::syn::{self, NETWORK_V4, SEGMENT_FROM, SynHeaders};
use crate::ja4::{Loop, Memo, Step};
use crate::wire::address::Address;
use crate::wire::frame::Frame;
use std::boxed::Box;
use std::cell::{Cell, RefCell, RefMut};
use std::collections::BTreeMap;
use std::vec;
use std::vec::Vec;
use zerocopy::IntoBytes;

/// The maps in which hellos are put together, on the host.
///
/// *Shape*: bodies are made when they are needed.
pub struct HelloMemory {
    /// The frame that is looked at.
    pub frame: RefCell<Vec<u8>>,
    /// The time.
    pub now_ns: Cell<u64>,
    /// What the local socket waits for; none: there is no socket.
    pub expected: Cell<Option<Expected>>,
    /// Whether nothing is put together.
    pub is_off: bool,
    /// Rules.
    pub rules: BTreeMap<RuleKey, Rule>,
    /// What was told: records, and the bytes of the stream behind them.
    pub told: RefCell<Vec<(HelloRecord, Vec<u8>)>>,
    /// What is remembered of fingerprints and causes.
    pub fingerprints: RefCell<BTreeMap<Parts, FingerprintRecord>>,
    /// What is remembered of clients.
    pub clients: RefCell<BTreeMap<ClientKey, ClientRecord>>,
    known: RefCell<BTreeMap<u64, (u64, u64)>>,
    syns: RefCell<BTreeMap<u64, SynHeaders>>,
    sets: RefCell<Vec<HelloSet>>,
    bodies: RefCell<Vec<Option<Box<HelloBody>>>>,
    stage: RefCell<Box<Stage>>,
}

impl core::fmt::Debug for HelloMemory {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HelloMemory").field("told", &self.told).finish_non_exhaustive()
    }
}

impl Default for HelloMemory {
    fn default() -> Self {
        Self {
            frame: RefCell::default(),
            now_ns: Cell::new(0),
            expected: Cell::new(None),
            is_off: false,
            rules: BTreeMap::new(),
            told: RefCell::default(),
            fingerprints: RefCell::default(),
            clients: RefCell::default(),
            known: RefCell::default(),
            syns: RefCell::default(),
            sets: RefCell::new(vec![HelloSet::default(); HELLO_SETS as usize]),
            bodies: RefCell::new((0..HELLO_SLOTS).map(|_| None).collect()),
            stage: RefCell::default(),
        }
    }
}

impl HelloMemory {
    /// How far each hello is.
    #[must_use]
    pub fn heads(&self) -> Vec<HelloHead> {
        self.sets.borrow().iter().flat_map(|set| set.ways).collect()
    }
}

impl Loop for HelloMemory {
    fn repeat<S: Step>(&self, times: u32, step: &mut S) {
        let _ = (0..times).find(|index| step.step(*index));
    }
}

impl Memo for HelloMemory {
    fn secret(&self) -> u64 {
        0x0123_4567_89ab_cdef
    }

    fn recall(&self, name: u64, parts: &mut Parts) -> bool {
        let known = self.known.borrow().get(&name).copied();
        if let Some((b, c)) = known {
            (parts.b, parts.c) = (b, c);
        }
        known.is_some()
    }

    fn remember(&self, name: u64, parts: &Parts) {
        self.known.borrow_mut().insert(name, (parts.b, parts.c));
    }
}

#[expect(clippy::large_stack_arrays, reason = "it goes into its box at once")]
fn body() -> Box<HelloBody> {
    Box::new(HelloBody {
        there: [0; (HELLO_WINDOW / 64) as usize],
        record: HelloRecord::default(),
        bytes: [0; (HELLO_WINDOW + COPY_LEN) as usize],
    })
}

impl Hellos for HelloMemory {
    type Set<'a> = RefMut<'a, HelloSet>;
    type Body<'a> = RefMut<'a, HelloBody>;
    type Stage<'a> = RefMut<'a, Stage>;

    fn is_evident(&self, frame: &mut Frame) -> bool {
        self.expected.get().is_some_and(|expected| evidence::meet(frame, &expected))
    }

    fn set(&self, index: u32) -> Option<RefMut<'_, HelloSet>> {
        RefMut::filter_map(self.sets.borrow_mut(), |sets| sets.get_mut(index as usize)).ok()
    }

    fn lock(&self, _set: &mut HelloSet) -> bool {
        true
    }

    fn unlock(&self, _set: &mut HelloSet) {}

    fn body(&self, index: u32) -> Option<RefMut<'_, HelloBody>> {
        let bodies = self.bodies.borrow_mut();
        let slot = RefMut::filter_map(bodies, |bodies| bodies.get_mut(index as usize)).ok()?;
        Some(RefMut::map(slot, |slot| &mut **slot.get_or_insert_with(body)))
    }

    fn stage(&self) -> Option<RefMut<'_, Stage>> {
        let stage = || RefMut::map(self.stage.borrow_mut(), |stage| &mut **stage);
        (!self.is_off).then(stage)
    }

    fn load(&self, frame: &Frame, stage: &mut Stage) -> bool {
        let bytes = self.frame.borrow();
        let (from, len) = (frame.tcp.offset as usize, frame.tcp.len.min(SEGMENT_CAPACITY));
        let Some(segment) = bytes.get(from..from + len as usize) else {
            return false;
        };
        for (word, bytes) in stage.segment.iter_mut().zip(segment.chunks(8)) {
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(whole);
        }
        true
    }

    fn sum(&self, stage: &Stage, from: u32, len: u32) -> u64 {
        let words =
            stage.segment.iter().flat_map(|word| [0, 16, 32, 48].map(|at| word >> at & 0xffff));
        words.skip(from as usize / 2).take(len as usize / 2).sum()
    }

    fn copy(&self, frame: &Frame, from: u32, len: u32, into: &mut StreamBytes, at: u32) -> bool {
        let bytes = self.frame.borrow();
        let (from, len) = ((frame.tcp.offset + from) as usize, len as usize);
        let (found, into) = (bytes.get(from..from + len), into.get_mut(at as usize..));
        match (found, into.and_then(|into| into.get_mut(..len))) {
            (Some(found), Some(into)) => into.copy_from_slice(found),
            _ => return false,
        }
        true
    }

    fn keep_syn(&self, frame: &Frame) {
        let bytes = self.frame.borrow();
        let skipped = if frame.source.is_v4() { NETWORK_V4 } else { 0 };
        let network = usize::from(frame.network_offset) + skipped as usize;
        let segment = (frame.tcp.offset + SEGMENT_FROM) as usize;
        let end = frame.tcp.offset as usize + usize::from(frame.tcp.header_len);
        let mut headers = SynHeaders::default();
        let found = (bytes.get(network..network + 8), bytes.get(segment..end));
        if let (Some(network), Some(segment)) = found {
            headers.network.as_mut_bytes().copy_from_slice(network);
            headers.segment.as_mut_bytes()[..segment.len()].copy_from_slice(segment);
            let name = syn::name_of(frame.flow, frame.tcp.first());
            self.syns.borrow_mut().insert(name, headers);
        }
    }

    fn recall_syn(&self, flow: u64, first: u32, into: &mut SynHeaders) {
        *into = self.syns.borrow().get(&syn::name_of(flow, first)).copied().unwrap_or_default();
    }

    fn tell(&self, record: &HelloRecord) {
        self.told.borrow_mut().push((*record, Vec::new()));
    }

    fn tell_stream(&self, body: &HelloBody) {
        let stream = body.bytes[..body.record.stream_len as usize].to_vec();
        self.told.borrow_mut().push((body.record, stream));
    }

    fn now_ns(&self) -> u64 {
        self.now_ns.get()
    }

    fn coarse_ns(&self) -> u64 {
        self.now_ns.get()
    }

    fn enter(
        &self,
        frame: &mut Frame,
        source: &Address,
        parts: &Parts,
        wire: u64,
        verdict: Verdict,
    ) {
        let client = source.client();
        let seen = Seen::of(self.secret(), parts, &client, wire, verdict).at(self.now_ns());
        frame.fingerprint = seen.name;
        self.fingerprints.borrow_mut().entry(*parts).or_default().note(&seen);
        self.clients.borrow_mut().entry(client).or_default().note(&seen);
    }

    fn rule_kinds(&self) -> u32 {
        self.rules.keys().fold(0, |kinds, key| kinds | RuleKey::bit(key.kind))
    }

    fn rule(&self, key: &RuleKey) -> Rule {
        self.rules.get(key).copied().unwrap_or_default()
    }

    fn count_rule(&self, _number: u32, _ended: bool) {}

    fn ifindex(&self) -> u32 {
        0
    }
}
