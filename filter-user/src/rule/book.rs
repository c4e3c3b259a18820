//! All rules, and their numbers in the kernel.

use super::{HelloRule, Learned, Pattern, RuleAction, Target};
use crate::fingerprint::Ja3;
use filter_common::abi::rule::{RULE_CAPACITY, RuleKey};
use std::collections::BTreeMap;

/// The rules on hellos.
///
/// *Concurrency*: owned by one task.
#[derive(Debug, Default)]
pub struct RuleBook {
    rules: BTreeMap<Pattern, (u32, HelloRule)>,
}

/// Why a rule can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// There are too many.
    #[error("there are {RULE_CAPACITY} rules on ClientHellos already; remove one first")]
    Full,
}

impl RuleBook {
    /// The rules with their numbers, by pattern.
    pub fn iter(&self) -> impl Iterator<Item = (&Pattern, u32, &HelloRule)> {
        self.rules.iter().map(|(pattern, (number, rule))| (pattern, *number, rule))
    }

    /// The rule on exactly this, and its number.
    #[must_use]
    pub fn get(&self, pattern: &Pattern) -> Option<(u32, &HelloRule)> {
        self.rules.get(pattern).map(|(number, rule)| (*number, rule))
    }

    /// Adds a rule or puts it in the place of one on the same; its number.
    ///
    /// *Errors*: [`RuleError`].
    pub fn put(&mut self, pattern: Pattern, rule: HelloRule) -> Result<u32, RuleError> {
        let number = match self.rules.get(&pattern) {
            Some((number, _)) => *number,
            None => self.free_number().ok_or(RuleError::Full)?,
        };
        self.rules.insert(pattern, (number, rule));
        Ok(number)
    }

    /// Adds a rule under a number that it has already; `false` if another has it.
    pub fn put_at(&mut self, pattern: Pattern, rule: HelloRule, number: u32) -> bool {
        let is_free = number < RULE_CAPACITY && self.iter().all(|(_, taken, _)| taken != number);
        if is_free {
            self.rules.insert(pattern, (number, rule));
        }
        is_free
    }

    /// Removes a rule; `None` when there was none.
    pub fn remove(&mut self, pattern: &Pattern) -> Option<HelloRule> {
        self.rules.remove(pattern).map(|(_, rule)| rule)
    }

    /// Those that have ended.
    #[must_use]
    pub fn over(&self, unix_ms: u64) -> Vec<Pattern> {
        let over = self.iter().filter(|(_, _, rule)| rule.is_over(unix_ms));
        over.map(|(pattern, ..)| pattern.clone()).collect()
    }

    /// The [bits](RuleKey::bit) of the kinds of rule that the kernel looks for.
    #[must_use]
    pub fn kinds(&self) -> u32 {
        let kind = |pattern: &Pattern| self.key(pattern, 0).map_or(0, |key| RuleKey::bit(key.kind));
        let over_tcp = self.rules.keys().filter(|pattern| !pattern.is_quic());
        over_tcp.fold(0, |kinds, pattern| kinds | kind(pattern))
    }

    /// Where the kernel looks for a rule, which keys names with a secret. `None`: no hello has
    /// told yet what its JA3 is made of.
    #[must_use]
    pub fn key(&self, pattern: &Pattern, secret: u64) -> Option<RuleKey> {
        if !matches!(pattern.target, Target::Ja3(_)) {
            return pattern.key(secret);
        }
        let (_, rule) = self.get(pattern)?;
        rule.learned.map(|learned| pattern.key_of_wire(learned.wire))
    }

    /// What a hello with the JA3 of a pattern is made of, if another rule on it knows.
    #[must_use]
    pub fn learned(&self, pattern: &Pattern) -> Option<Learned> {
        let mut same = self.iter().filter(|(other, ..)| other.target == pattern.target);
        same.find_map(|(.., rule)| rule.learned)
    }

    /// Whether a rule is on this JA3.
    #[must_use]
    pub fn names_ja3(&self, ja3: &Ja3) -> bool {
        self.rules.keys().any(|pattern| pattern.target == Target::Ja3(*ja3))
    }

    /// The rules on a JA3 that know something else of it, or nothing.
    #[must_use]
    pub fn to_learn(&self, ja3: &Ja3, learned: Learned) -> Vec<Pattern> {
        let is_about = |pattern: &Pattern| pattern.target == Target::Ja3(*ja3);
        let lacks = |rule: &HelloRule| rule.learned != Some(learned);
        let found = self.iter().filter(|(pattern, _, rule)| is_about(pattern) && lacks(rule));
        found.map(|(pattern, ..)| pattern.clone()).collect()
    }

    /// The rules that name a limit.
    pub fn with_limit(&self, name: &str) -> impl Iterator<Item = &Pattern> {
        let names =
            move |rule: &HelloRule| matches!(&rule.action, RuleAction::Limit(of) if of == name);
        self.iter().filter(move |(.., rule)| names(rule)).map(|(pattern, ..)| pattern)
    }

    fn free_number(&self) -> Option<u32> {
        let mut taken: Vec<u32> = self.rules.values().map(|(number, _)| *number).collect();
        taken.sort_unstable();
        let gap = taken.iter().zip(0..).find(|(taken, number)| *taken != number);
        let next = gap.map_or(u32::try_from(taken.len()).ok()?, |(_, number)| number);
        (next < RULE_CAPACITY).then_some(next)
    }
}
