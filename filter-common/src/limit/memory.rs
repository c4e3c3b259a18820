//! Limits on plain memory, for hosts: tests, captures, and the daemon that reads meters.

use super::key::{Place, Secrets};
use super::meter::{self, Charge, Meters, Own, Word};
use super::proven::Marks;
use super::{Limits, Outcome, prove, step};
use crate::abi::limit::{
    ListLimit, METER_SETS, MeterSet, PROFILE_COUNT, PROVEN_LINES, Plan, Profile, ProfileCounters,
    ProvenLine,
};
use crate::wire::frame::{Frame, Proof};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::vec::Vec;

/// The maps of [`Limits`].
///
/// *Shape*: sets and lines come into being when they are first asked for.
#[derive(Debug, Default)]
pub struct LimitMemory {
    /// The secrets of [`super::key::place`].
    pub secrets: Secrets,
    /// The time, by both clocks.
    pub now_ns: Cell<u64>,
    /// Profiles, by number.
    pub profiles: HashMap<u32, Profile>,
    /// Plans, by service; [`LimitMemory::plan`] is that of all others.
    pub plans: HashMap<u32, Plan>,
    /// The plan of services that have none of their own.
    pub plan: Plan,
    /// Limits of lists, by their number.
    pub lists: HashMap<u16, ListLimit>,
    /// Whether segments have established sockets.
    pub established: Cell<bool>,
    /// How often the clock was read.
    pub clock_reads: Cell<u32>,
    sets: RefCell<HashMap<u32, Rc<Cell<MeterSet>>>>,
    aggregates: RefCell<HashMap<u32, Rc<Cell<MeterSet>>>>,
    lines: RefCell<HashMap<u64, Rc<Cell<ProvenLine>>>>,
    counters: RefCell<HashMap<u32, ProfileCounters>>,
    offenders: RefCell<Vec<(Place, u64)>>,
}

impl LimitMemory {
    /// What was counted of a profile.
    #[must_use]
    pub fn counters(&self, number: u32) -> ProfileCounters {
        self.counters.borrow().get(&number).copied().unwrap_or_default()
    }

    /// Keys that went over, a packet each, with the time, since last asked.
    pub fn take_offenders(&self) -> Vec<(Place, u64)> {
        self.offenders.take()
    }
}

/// A word in a set.
#[derive(Debug)]
pub struct SetWord {
    set: Rc<Cell<MeterSet>>,
    way: usize,
    is_tag: bool,
}

impl Word for SetWord {
    fn load(&self) -> u64 {
        let meter = self.set.get().0[self.way];
        if self.is_tag { meter.tag } else { meter.word }
    }

    fn store(&self, next: u64) {
        let mut set = self.set.get();
        let meter = &mut set.0[self.way];
        *(if self.is_tag { &mut meter.tag } else { &mut meter.word }) = next;
        self.set.set(set);
    }

    fn swap(&self, seen: u64, next: u64) -> u64 {
        let before = self.load();
        if before == seen {
            self.store(next);
        }
        before
    }
}

impl Meters for Rc<Cell<MeterSet>> {
    type Word = SetWord;

    fn tag(&self, way: u32) -> SetWord {
        SetWord { set: Self::clone(self), way: index(way), is_tag: true }
    }

    fn way(&self, way: u32) -> u32 {
        way
    }

    fn word(&self, way: u32) -> SetWord {
        SetWord { set: Self::clone(self), way: index(way), is_tag: false }
    }
}

impl Marks for Rc<Cell<ProvenLine>> {
    fn load(&self, way: u32) -> u64 {
        self.get().0[index(way)]
    }

    fn store(&self, way: u32, mark: u64) {
        let mut line = self.get();
        line.0[index(way)] = mark;
        self.set(line);
    }
}

const fn index(way: u32) -> usize {
    way as usize
}

impl Limits for LimitMemory {
    type Word = SetWord;
    type Meters = Rc<Cell<MeterSet>>;
    type Marks = Rc<Cell<ProvenLine>>;

    fn plan(&self, service: u32) -> Plan {
        self.plans.get(&service).copied().unwrap_or(self.plan)
    }

    fn list_limit(&self, list: u16) -> ListLimit {
        self.lists.get(&list).copied().unwrap_or_default()
    }

    fn profile(&self, number: u32) -> Option<&Profile> {
        if number < PROFILE_COUNT { self.profiles.get(&number) } else { None }
    }

    fn meters(&self, set: u32) -> Option<Self::Meters> {
        let in_bounds = set < METER_SETS;
        in_bounds.then(|| Rc::clone(self.sets.borrow_mut().entry(set).or_default()))
    }

    fn aggregate(&self, number: u32) -> Option<SetWord> {
        let set = Rc::clone(self.aggregates.borrow_mut().entry(number).or_default());
        Some(SetWord { set, way: 0, is_tag: false })
    }

    fn marks(&self, mixed: u64) -> Option<Self::Marks> {
        let line = mixed & u64::from(PROVEN_LINES - 1);
        Some(Rc::clone(self.lines.borrow_mut().entry(line).or_default()))
    }

    fn secrets(&self) -> Secrets {
        self.secrets
    }

    fn precise_ns(&self) -> u64 {
        self.clock_reads.set(self.clock_reads.get() + 1);
        self.now_ns.get()
    }

    fn coarse_ns(&self) -> u64 {
        self.now_ns.get()
    }

    fn is_established(&self, _: &Frame) -> bool {
        self.established.get()
    }

    fn count_limit(&self, number: u32, outcome: Outcome, bytes: u32) {
        let mut counters = self.counters.borrow_mut();
        counters.entry(number).or_default().count(outcome, bytes);
    }

    fn note_offender(&self, place: &Place, now_ns: u64) {
        self.offenders.borrow_mut().push((*place, now_ns));
    }

    fn look(&self, word: &SetWord, charge: &Charge) -> bool {
        meter::look(word, charge)
    }

    fn room(&self, meters: &Self::Meters, own: &Own, now_ns: u64) -> u32 {
        meter::room(self, meters, own, now_ns)
    }

    fn weight(&self, tag: u64, word: u64, now_ns: u64) -> u64 {
        meter::weight(self, tag, word, now_ns)
    }

    fn prove(&self, frame: &Frame, now_ns: u64, within: u64) -> Proof {
        prove(self, frame, now_ns, within)
    }

    fn forgotten(&self, number: u64) -> u64 {
        number
    }

    fn walk(&self, frame: &mut Frame) {
        while !step(self, frame) {}
    }
}
