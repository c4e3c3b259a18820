//! Two threads against one key.

use super::*;
use crate::abi::limit::{ListLimit, Plan};
use crate::limit::meter;
use crate::limit::proven::Marks;
use crate::limit::{Limits, Outcome, check, step};
use crate::verdict::Standing;
use crate::wire::frame::Proof;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;

/// One set and one aggregate. Profile 2 counts each client, 3 all together.
#[derive(Default)]
struct Shared {
    clients: Profile,
    together: Profile,
    set: [AtomicU64; 2 * WAYS as usize],
    aggregate: AtomicU64,
    now_ns: AtomicU64,
    tick_ns: u64,
    passed: [AtomicU64; 2],
    untracked: AtomicU64,
}

impl Word for &AtomicU64 {
    fn store(&self, next: u64) {
        AtomicU64::store(self, next, SeqCst);
    }

    fn load(&self) -> u64 {
        AtomicU64::load(self, SeqCst)
    }

    fn swap(&self, seen: u64, next: u64) -> u64 {
        self.compare_exchange(seen, next, SeqCst, SeqCst).unwrap_or_else(|now| now)
    }
}

impl<'a> Meters for &'a [AtomicU64; 8] {
    type Word = &'a AtomicU64;

    fn tag(&self, way: u32) -> &'a AtomicU64 {
        &self[usize::try_from(way).unwrap() * 2]
    }

    fn way(&self, way: u32) -> u32 {
        way
    }

    fn word(&self, way: u32) -> &'a AtomicU64 {
        &self[usize::try_from(way).unwrap() * 2 + 1]
    }
}

/// Nobody has proved himself.
struct NoMarks;

impl Marks for NoMarks {
    fn load(&self, _: u32) -> u64 {
        0
    }

    fn store(&self, _: u32, _: u64) {}
}

impl<'a> Limits for &'a Shared {
    type Word = &'a AtomicU64;
    type Meters = &'a [AtomicU64; 8];
    type Marks = NoMarks;

    fn plan(&self, _: u32) -> Plan {
        Plan { low: 0x0302, high: 0 }
    }

    fn list_limit(&self, _: u16) -> ListLimit {
        ListLimit::default()
    }

    fn profile(&self, number: u32) -> Option<&Profile> {
        Some(if number == 2 { &self.clients } else { &self.together })
    }

    fn meters(&self, _: u32) -> Option<&'a [AtomicU64; 8]> {
        Some(&self.set)
    }

    fn aggregate(&self, _: u32) -> Option<&'a AtomicU64> {
        Some(&self.aggregate)
    }

    fn marks(&self, _: u64) -> Option<NoMarks> {
        Some(NoMarks)
    }

    fn secrets(&self) -> key::Secrets {
        [5, 6]
    }

    fn precise_ns(&self) -> u64 {
        self.now_ns.fetch_add(self.tick_ns, SeqCst)
    }

    fn coarse_ns(&self) -> u64 {
        self.precise_ns()
    }

    fn is_established(&self, _: &Frame) -> bool {
        false
    }

    fn count_limit(&self, number: u32, outcome: Outcome, _: u32) {
        let counter = match outcome {
            Outcome::PASSED => &self.passed[usize::from(number != 2)],
            Outcome::UNTRACKED => &self.untracked,
            _ => return,
        };
        counter.fetch_add(1, SeqCst);
    }

    fn note_offender(&self, _: &key::Place, _: u64) {}

    fn look(&self, word: &&AtomicU64, charge: &Charge) -> bool {
        meter::look(word, charge)
    }

    fn room(&self, meters: &Self::Meters, own: &Own, now_ns: u64) -> u32 {
        meter::room(self, meters, own, now_ns)
    }

    fn weight(&self, tag: u64, word: u64, now_ns: u64) -> u64 {
        meter::weight(self, tag, word, now_ns)
    }

    fn prove(&self, _: &Frame, _: u64, _: u64) -> Proof {
        Proof::NONE
    }

    fn forgotten(&self, number: u64) -> u64 {
        number
    }

    fn walk(&self, frame: &mut Frame) {
        while !step(self, frame) {}
    }
}

const PACKETS: u64 = 200_000;

/// Has two threads send packets of one client.
fn race(shared: &Shared) {
    let packet = parsed(&client(1).udp((5000, 443), b"?"));
    let send = || {
        let (limits, mut packet) = (shared, packet);
        for _ in 0..PACKETS {
            check(&limits, Standing::default(), &mut packet);
        }
    };
    thread::scope(|scope| {
        scope.spawn(send);
        scope.spawn(send);
    });
}

/// A million a second of each client, and half of that of all; packets come each 100 ns.
fn busy(burst: u64) -> Shared {
    let clients = Profile { rate: Rate::new(1_000_000, SECOND, burst, Rate::FINE), ..packets(1) };
    let rate = Rate::new(500_000, SECOND, burst, Rate::FINE);
    let together = Profile { rate, key: Profile::TOGETHER, ..packets(1) };
    Shared { clients, together, now_ns: NOW_NS.into(), tick_ns: 100, ..Shared::default() }
}

/// Each packet that goes uncharged is counted, and is what there may be too many of.
#[track_caller]
fn assert_exact(shared: &Shared, profile: usize, expected: u64) {
    let passed = AtomicU64::load(&shared.passed[profile], SeqCst);
    let off = passed.abs_diff(expected);
    assert!(off <= 1, "{passed} were charged, {expected} should be");
    assert!(AtomicU64::load(&shared.untracked, SeqCst) <= PACKETS / 10_000);
}

#[test]
fn what_two_threads_get_together_is_exact() {
    let shared = busy(1000);
    race(&shared);
    let elapsed_ns = AtomicU64::load(&shared.now_ns, SeqCst) - NOW_NS;
    assert_exact(&shared, 0, 1000 + elapsed_ns / 1000);
    assert_exact(&shared, 1, 1000 + elapsed_ns / 2000);
}

#[test]
fn where_time_stands_still_two_threads_get_a_burst() {
    let shared = Shared { tick_ns: 0, ..busy(50_000) };
    race(&shared);
    assert_exact(&shared, 0, 50_000);
    assert_exact(&shared, 1, 50_000);
}

#[test]
fn two_threads_get_a_quota_once() {
    let rate = Rate { burst: 60_000, ..Rate::default() };
    let clients = Profile { rate, window: 1000, ..packets(1) };
    let shared = Shared { clients, ..busy(1000) };
    race(&shared);
    assert_exact(&shared, 0, 60_000);
}
