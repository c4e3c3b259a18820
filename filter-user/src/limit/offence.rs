//! Keys that went over: an event when it begins, seldom while it lasts, one at its end.

use filter_common::abi::limit::{OFFENDER_COUNT, OFFENDER_IDLE_NS, Offender};
use filter_common::limit::key;
use std::collections::HashMap;

/// Nanoseconds between events of a key that stays over.
pub const REPEAT_NS: u64 = 60_000_000_000;

/// Keys that are over their limits.
///
/// *Shape*: as many as the `OFFENDERS` map has elements; further ones aren't told of until
/// others are through.
///
/// *Concurrency*: owned by one task.
#[derive(Debug, Default)]
pub struct Offences {
    known: HashMap<(u64, u64), Known>,
}

/// A key that is over its limit, or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offence {
    /// What is told.
    pub stage: Stage,
    /// The limit, by its number.
    pub number: u32,
    /// The meter's set.
    pub set: u32,
    /// Its tag; both say who.
    pub tag: u64,
    /// When the first packet was refused, on the kernel's clock.
    pub first_ns: u64,
    /// When the last was.
    pub last_ns: u64,
    /// How many were, from the first one on.
    pub count: u64,
}

/// What is told of an offence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It begins.
    Began,
    /// It still lasts.
    Lasts,
    /// Nothing was refused for ten seconds.
    Ended,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    seen: Offender,
    first_ns: u64,
    /// What the kernel had counted before it began.
    base: u64,
    told_ns: u64,
    open: bool,
    /// The turn in which the kernel still had it.
    turn: bool,
}

impl Offences {
    /// Takes in what the kernel has noted, all of it, and says what is to be told.
    pub fn handle(
        &mut self,
        offenders: impl Iterator<Item = Offender>,
        now_ns: u64,
    ) -> Vec<Offence> {
        self.known.values_mut().for_each(|known| known.turn = false);
        let mut told = Vec::new();
        for seen in offenders.filter(|seen| seen.tag != 0 && seen.count != 0) {
            told.extend(self.take(seen, now_ns));
        }
        // Whoever lost its place to another key, or its limit, is through.
        for known in self.known.values().filter(|known| !known.turn && known.open) {
            told.push(known.tell(Stage::Ended));
        }
        self.known.retain(|_, known| known.turn);
        told.sort_by_key(|offence| (offence.first_ns, offence.set, offence.tag));
        told
    }

    /// Keys that are over now.
    pub fn open(&self) -> impl Iterator<Item = Offence> {
        self.known.values().filter(|known| known.open).map(|known| known.tell(Stage::Lasts))
    }

    fn take(&mut self, seen: Offender, now_ns: u64) -> Option<Offence> {
        let is_idle = now_ns.saturating_sub(seen.last_ns) >= OFFENDER_IDLE_NS;
        let room = self.known.len() < OFFENDER_COUNT as usize;
        let Some(known) = self.known.get_mut(&(seen.tag, seen.set)) else {
            let known = Known::new(seen, now_ns, !is_idle);
            if room {
                self.known.insert((seen.tag, seen.set), known);
            }
            return (room && !is_idle).then(|| known.tell(Stage::Began));
        };
        known.turn = true;
        known.advance(seen, now_ns, is_idle)
    }
}

impl Known {
    const fn new(seen: Offender, now_ns: u64, open: bool) -> Self {
        Self { seen, first_ns: seen.first_ns, base: 0, told_ns: now_ns, open, turn: true }
    }

    fn advance(&mut self, seen: Offender, now_ns: u64, is_idle: bool) -> Option<Offence> {
        let before = std::mem::replace(&mut self.seen, seen);
        if !self.open {
            // The kernel counts on in the same place.
            let again = seen.count != before.count && !is_idle;
            if !again {
                return None;
            }
            let same = seen.first_ns == before.first_ns;
            let (first_ns, base) = if same { (now_ns, before.count) } else { (seen.first_ns, 0) };
            *self = Self {
                first_ns: first_ns.min(seen.last_ns),
                base,
                ..Self::new(seen, now_ns, true)
            };
            return Some(self.tell(Stage::Began));
        }
        if is_idle {
            self.open = false;
            return Some(self.tell(Stage::Ended));
        }
        if now_ns.saturating_sub(self.told_ns) >= REPEAT_NS {
            self.told_ns = now_ns;
            return Some(self.tell(Stage::Lasts));
        }
        None
    }

    fn tell(&self, stage: Stage) -> Offence {
        Offence {
            stage,
            number: key::number(self.seen.tag),
            set: u32::try_from(self.seen.set).unwrap_or(u32::MAX),
            tag: self.seen.tag,
            first_ns: self.first_ns,
            last_ns: self.seen.last_ns,
            count: self.seen.count.saturating_sub(self.base),
        }
    }
}
