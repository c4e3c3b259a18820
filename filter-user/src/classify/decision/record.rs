//! What was decided about whom, and how often.

use super::policy::Rung;
use super::{Action, DAY_MS, Decision, MINUTE_MS, Whom};
use crate::classify::behaviour::table::Table;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A service, and somebody at it.
pub type Key = (String, Whom);

/// What was decided about somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// How often something happened to him; a day without takes one away.
    pub strikes: u32,
    /// The last decision.
    pub last: Option<Decision>,
}

/// All of them.
///
/// When there is no more room those with the fewest strikes go, of these what ends first: an
/// attacker with many addresses pushes out his own. What the kernel has been told stands
/// until its end.
#[derive(Clone, Debug)]
pub struct Records {
    records: Table<Key, Record>,
    /// Those that changed or are gone since they were last asked for.
    changed: BTreeSet<Key>,
}

impl Default for Records {
    fn default() -> Self {
        Self { records: Table::new(RECORDS), changed: BTreeSet::new() }
    }
}

impl Record {
    /// The decision that is in force.
    #[must_use]
    pub fn in_force(&self, now_ms: u64) -> Option<&Decision> {
        self.last.as_ref().filter(|decision| decision.ends_ms > now_ms)
    }

    fn strikes_at(&self, now_ms: u64) -> u32 {
        let ended_ms = self.last.as_ref().map_or(0, |decision| decision.ends_ms);
        let days = now_ms.saturating_sub(ended_ms) / DAY_MS;
        self.strikes.saturating_sub(u32::try_from(days).unwrap_or(u32::MAX))
    }
}

impl Records {
    /// Makes a decision of what a policy asks for: sets what happens, how long, and which
    /// strike it is. `None` if what is in force says it already.
    ///
    /// A limit that is asked for again becomes a block, a block a longer one, but nothing
    /// beyond `at_most`. A ladder without a rung that blocks doesn't block.
    pub fn escalate(
        &mut self,
        mut decision: Decision,
        at_most: Action,
        ladder: &[Rung],
    ) -> Option<Decision> {
        let key = (decision.service.clone(), decision.whom.clone());
        let now_ms = decision.at_ms;
        self.changed.extend(self.records.make_room_for(&key, Record::worth));
        let record = self.records.entry(&key, Record::worth);
        // What only counts doesn't stand against what acts: operators have switched it on.
        let stands = |last: &&Decision| decision.shadow || !last.shadow;
        let in_force = record.in_force(now_ms).filter(stands).map(|last| last.action);
        let asked = decision.action.min(at_most);
        if in_force == Some(Action::Block) || asked == Action::Watch && in_force.is_some() {
            return None;
        }
        let limited_ms = record.last.as_ref().map_or(0, |last| last.at_ms);
        let goes_on = !decision.by_class && now_ms.saturating_sub(limited_ms) >= GOES_ON_MS;
        if in_force == Some(Action::Limit) && asked == Action::Limit && !goes_on {
            return None;
        }
        if asked == Action::Watch {
            record.strikes = record.strikes_at(now_ms);
            decision.ends_ms = now_ms + WATCH_MINUTES * MINUTE_MS;
        } else {
            let blocks = |rung: &Rung| rung.action == Action::Block;
            let first_block = ladder.iter().position(blocks).unwrap_or_default();
            let lowest = if asked == Action::Block { first_block } else { 0 };
            let strikes = usize::try_from(record.strikes_at(now_ms)).unwrap_or(usize::MAX);
            let index = strikes.max(lowest).min(ladder.len().saturating_sub(1));
            let rung = ladder.get(index)?;
            record.strikes = u32::try_from(index + 1).unwrap_or(u32::MAX);
            decision.action = rung.action.min(at_most);
            decision.ends_ms = now_ms + u64::from(rung.minutes) * MINUTE_MS;
            decision.strike = record.strikes;
        }
        decision.action = decision.action.min(at_most);
        record.last = Some(decision.clone());
        self.changed.insert(key);
        Some(decision)
    }

    /// Forgets all about somebody, at every service, and about the prefixes around him; what was
    /// in force is lifted.
    pub fn forgive(&mut self, whom: &Whom, now_ms: u64) -> Vec<Decision> {
        let keys = self.about(whom);
        let records = keys.iter().filter_map(|key| self.records.remove(key));
        let lifted = records.filter_map(|record| record.in_force(now_ms).cloned()).collect();
        self.changed.extend(keys);
        lifted
    }

    /// Those about somebody or a prefix around him, or that a fingerprint has brought about.
    #[must_use]
    pub fn about(&self, whom: &Whom) -> Vec<Key> {
        let by = |record: &Record| match (whom, &record.last) {
            (Whom::Fingerprint(ja4), Some(last)) => last.ja4.as_ref() == Some(ja4),
            _ => false,
        };
        let of = self.records.iter().filter(|((_, kept), record)| kept.meets(whom) || by(record));
        of.map(|(key, _)| key.clone()).collect()
    }

    /// Those that changed or are gone since this was last asked, to be written down.
    pub fn take_changed(&mut self) -> BTreeSet<Key> {
        std::mem::take(&mut self.changed)
    }

    /// The record of somebody at a service.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Record> {
        self.records.get(key)
    }

    /// All of them, to be kept or listed.
    pub fn all(&self) -> impl Iterator<Item = (&Key, &Record)> {
        self.records.iter()
    }

    /// Takes in what was kept.
    pub fn restore(&mut self, key: &Key, record: Record) {
        self.changed.extend(self.records.make_room_for(key, Record::worth));
        *self.records.entry(key, Record::worth) = record;
    }
}

impl Record {
    fn worth(&self) -> (u32, u64) {
        (self.strikes, self.last.as_ref().map_or(0, |decision| decision.ends_ms))
    }
}

const RECORDS: usize = 8192;

/// How long a limit has to be in force before what goes on is blocked, unless that asks for a
/// block by itself.
const GOES_ON_MS: u64 = MINUTE_MS;

/// How long nothing new is noted about the same.
const WATCH_MINUTES: u64 = 60;

#[cfg(test)]
mod tests {
    use super::super::policy::Policy;
    use super::*;
    use crate::classify::judgement::Class;

    fn asked(action: Action, at_ms: u64) -> Decision {
        Decision {
            whom: Whom::Fingerprint("x".into()),
            service: "www".into(),
            action,
            shadow: true,
            class: Class::Tool,
            score: 80,
            findings: Vec::new(),
            line: "abuse".into(),
            narrowed: None,
            ja4: None,
            by_class: false,
            strike: 0,
            at_ms,
            ends_ms: 0,
        }
    }

    /// What follows if `action` is asked for as soon as it can be, in minutes.
    fn ladder(action: Action, at_most: Action, times: usize) -> Vec<(Action, u64)> {
        let (mut records, mut now_ms) = (Records::default(), 0);
        let ladder = Policy::default().ladder;
        let mut next = |_| {
            let decision = records.escalate(asked(action, now_ms), at_most, &ladder).unwrap();
            let lasts_ms = decision.ends_ms - now_ms;
            now_ms = decision.ends_ms;
            (decision.action, lasts_ms / MINUTE_MS)
        };
        (0..times).map(&mut next).collect()
    }

    #[test]
    fn repetition_escalates_from_a_limit_to_hours() {
        use Action::{Block, Limit};
        let whole = [(Limit, 10), (Block, 10), (Block, 60), (Block, 360), (Block, 1440)];
        assert_eq!(ladder(Limit, Block, 5), whole);
        assert_eq!(ladder(Block, Block, 5), [&whole[1..], &whole[4..]].concat());
        assert_eq!(ladder(Block, Limit, 3), [(Limit, 10), (Limit, 10), (Limit, 60)]);
    }

    #[test]
    fn a_limit_becomes_a_block_when_it_goes_on_but_not_for_a_class() {
        let ladder = Policy::default().ladder;
        let again = |by_class, at_ms| {
            let mut records = Records::default();
            let ask = |at_ms| Decision { by_class, ..asked(Action::Limit, at_ms) };
            assert!(records.escalate(ask(0), Action::Block, &ladder).is_some());
            records.escalate(ask(at_ms), Action::Block, &ladder).map(|decision| decision.action)
        };
        assert_eq!(again(false, GOES_ON_MS - 1), None);
        assert_eq!(again(false, GOES_ON_MS), Some(Action::Block));
        assert_eq!(again(true, GOES_ON_MS), None);
        assert_eq!(again(true, 10 * MINUTE_MS), Some(Action::Block), "it came again afterwards");
    }

    #[test]
    fn a_shadow_does_not_stand_against_what_acts() {
        let (mut records, ladder) = (Records::default(), Policy::default().ladder);
        let mut ask = |shadow, at_ms| {
            let asked = Decision { shadow, ..asked(Action::Block, at_ms) };
            records.escalate(asked, Action::Block, &ladder).is_some()
        };
        assert!(ask(true, 0) && !ask(true, 1) && ask(false, 2) && !ask(true, 3) && !ask(false, 3));
    }

    #[test]
    fn what_is_only_watched_is_said_once_and_is_no_strike() {
        let mut records = Records::default();
        let mut ask = |action, at_ms| records.escalate(asked(action, at_ms), action, &[]);
        let noted = ask(Action::Watch, 0).unwrap();
        assert_eq!((noted.strike, noted.ends_ms), (0, 60 * MINUTE_MS));
        assert_eq!(ask(Action::Watch, 59 * MINUTE_MS), None);
        assert!(ask(Action::Watch, 60 * MINUTE_MS).is_some());
    }

    #[test]
    fn quiet_days_take_strikes_away_and_forgiveness_all() {
        let (mut records, ladder) = (Records::default(), Policy::default().ladder);
        let mut now_ms = 0;
        for _ in 0..3 {
            let decision = records.escalate(asked(Action::Block, now_ms), Action::Block, &ladder);
            now_ms = decision.unwrap().ends_ms;
        }
        now_ms += 2 * DAY_MS;
        let decision = records.escalate(asked(Action::Block, now_ms), Action::Block, &ladder);
        assert_eq!(decision.unwrap().strike, 3);
        assert_eq!(records.forgive(&Whom::Fingerprint("x".into()), now_ms).len(), 1);
        let decision = records.escalate(asked(Action::Block, now_ms), Action::Block, &ladder);
        assert_eq!(decision.unwrap().strike, 2);
    }
}
