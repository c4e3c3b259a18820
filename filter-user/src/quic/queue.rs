//! Connections by age.

use std::collections::BTreeMap;

/// Numbers of connections in the order in which they came, from any place of which they
/// may leave.
#[derive(Debug, Default)]
pub(super) struct Queue {
    next: u64,
    waiting: BTreeMap<u64, (u64, u64)>,
}

impl Queue {
    /// Puts a connection at the end; its place.
    pub(super) fn push(&mut self, time_ns: u64, connection: u64) -> u64 {
        self.next += 1;
        self.waiting.insert(self.next, (time_ns, connection));
        self.next
    }

    /// Takes out what stands at a place.
    pub(super) fn leave(&mut self, place: u64) {
        self.waiting.remove(&place);
    }

    /// Takes out the oldest.
    pub(super) fn pop(&mut self) -> Option<u64> {
        self.waiting.pop_first().map(|(_, (_, connection))| connection)
    }

    /// Takes out the oldest, if it has been there for that long.
    pub(super) fn pop_older(&mut self, now_ns: u64, age_ns: u64) -> Option<u64> {
        let (_, (time_ns, _)) = self.waiting.first_key_value()?;
        if now_ns.saturating_sub(*time_ns) < age_ns {
            return None;
        }
        self.pop()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}
