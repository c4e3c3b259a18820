//! Copied datagrams in memory, for hosts: tests and replay.

use super::{Budget, Copied, Datagrams};
use crate::abi::quic::{DATAGRAM_CAPACITY, DatagramBudget, DatagramRecord};
use crate::gcra::Rate;
use crate::limit::meter::Word;
use crate::wire::frame::Frame;
use std::boxed::Box;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::vec::Vec;

/// The maps that datagrams are copied with, on the host.
#[derive(Debug, Default)]
pub struct DatagramMemory {
    /// The frame that is looked at.
    pub frame: RefCell<Vec<u8>>,
    /// The time.
    pub now_ns: Cell<u64>,
    /// What was copied: records, and the bytes behind them.
    pub told: RefCell<Vec<(DatagramRecord, Vec<u8>)>>,
    /// Whether there is no room for more.
    pub is_full: Cell<bool>,
    counts: Cell<[u64; 3]>,
    budget: Rc<HostBudget>,
}

/// A [`DatagramBudget`] on the host.
#[derive(Debug, Default)]
pub struct HostBudget(RefCell<Box<DatagramBudget>>, Rates);

type Rates = (Rate, Rate);

impl DatagramMemory {
    /// Puts a budget in the place of what there is, with nothing of it used.
    pub fn set_budget(&mut self, budget: DatagramBudget) {
        let rates = (budget.all_rate, budget.share_rate);
        self.budget = Rc::new(HostBudget(RefCell::new(Box::new(budget)), rates));
    }

    /// How many were copied, over budget, and lost.
    #[must_use]
    pub fn counts(&self) -> [u64; 3] {
        self.counts.get()
    }
}

impl Datagrams for DatagramMemory {
    type Budget = Rc<HostBudget>;

    fn budget(&self) -> Option<Rc<HostBudget>> {
        Some(Rc::clone(&self.budget))
    }

    fn coarse_ns(&self) -> u64 {
        self.now_ns.get()
    }

    fn copy(&self, frame: &Frame) -> bool {
        let (frame_bytes, udp) = (self.frame.borrow(), &frame.udp);
        let copied = udp.len.min(DATAGRAM_CAPACITY);
        let (from, len) = (udp.offset as usize, copied as usize);
        let Some(bytes) = frame_bytes.get(from..from + len).filter(|_| !self.is_full.get()) else {
            return false;
        };
        let record = DatagramRecord {
            time_ns: self.now_ns.get(),
            source: frame.source,
            destination: frame.destination,
            source_port: udp.source_port,
            destination_port: udp.destination_port,
            ifindex: 0,
            len: udp.len,
            copied,
        };
        self.told.borrow_mut().push((record, bytes.to_vec()));
        true
    }

    fn count(&self, copied: Copied) {
        let mut counts = self.counts.get();
        counts[copied as usize] += 1;
        self.counts.set(counts);
    }
}

impl Budget for Rc<HostBudget> {
    type Word = HostWord;

    fn rates(&self) -> (&Rate, &Rate) {
        (&self.1.0, &self.1.1)
    }

    fn all(&self) -> HostWord {
        HostWord(Self::clone(self), None)
    }

    fn share(&self, share: u32) -> HostWord {
        HostWord(Self::clone(self), Some(share as usize))
    }
}

/// A word of a budget: a share's, or that of all.
#[derive(Debug)]
pub struct HostWord(Rc<HostBudget>, Option<usize>);

impl Word for HostWord {
    fn load(&self) -> u64 {
        let budget = self.0.0.borrow();
        self.1.map_or(budget.all, |share| budget.shares[share])
    }

    fn swap(&self, seen: u64, next: u64) -> u64 {
        let before = self.load();
        if before == seen {
            self.store(next);
        }
        before
    }

    fn store(&self, next: u64) {
        let mut budget = self.0.0.borrow_mut();
        match self.1 {
            Some(share) => budget.shares[share] = next,
            None => budget.all = next,
        }
    }
}
