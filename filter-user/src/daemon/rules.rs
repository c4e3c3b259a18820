//! Rules on `ClientHello`s: commands, and what the kernel has of them.

use super::engine::Engine;
use super::operator::failed;
use super::report::mode_name;
use crate::clock::Now;
use crate::config::{HostMode, parse_duration};
use crate::control::api::{Done, RuleEntry, SetRule};
use crate::control::handle::Refusal;
use crate::datapath::rules::RuleMaps;
use crate::rule::{HelloRule, Pattern, PatternError};
use crate::store::Write;
use aya::maps::MapError;

impl Engine {
    /// Puts what was stored in the place of whatever an earlier daemon left in the kernel.
    pub(super) fn restore_rules(
        &mut self,
        saved: Vec<(Pattern, HelloRule)>,
        now: Now,
    ) -> Result<(), MapError> {
        let Some(datapath) = &mut self.datapath else {
            return Ok(());
        };
        // What was counted stays with the rule that it was counted for.
        let numbers = datapath.rules.numbers()?;
        let (over, saved): (Vec<_>, Vec<_>) =
            saved.into_iter().partition(|(_, rule)| rule.is_over(now.unix_ms));
        let (known, new): (Vec<_>, Vec<_>) =
            saved.into_iter().partition(|(pattern, _)| numbers.contains_key(&pattern.key()));
        for (pattern, rule) in known {
            if let Some(number) = numbers.get(&pattern.key()) {
                self.rules.put_at(pattern, rule, *number);
            }
        }
        for (pattern, rule) in new {
            match self.rules.put(pattern.clone(), rule) {
                Ok(number) => datapath.rules.clear_counters(number)?,
                Err(error) => tracing::error!(%pattern, %error, "a stored rule finds no room"),
            }
        }
        let over = over.iter().map(|(pattern, _)| Write::Rule(pattern, None));
        if let Err(error) = self.store.commit(over) {
            tracing::error!(%error, "the store can't be written");
        }
        let wanted = self.rules.iter().map(|(pattern, number, rule)| {
            (pattern.key(), rule.to_kernel(number, ends(rule, now)))
        });
        datapath.rules.replace(&wanted.collect())
    }

    pub(super) fn handle_rule(
        &mut self,
        pattern: &str,
        request: SetRule,
        now: Now,
    ) -> Result<Done, Refusal> {
        let pattern = parse(pattern)?;
        let lasts = request.lasts.as_deref().map(parse_duration).transpose();
        let lasts = lasts.map_err(Refusal::Invalid)?;
        let rule = HelloRule {
            action: request.action,
            shadow: request.shadow,
            expires_unix_ms: lasts.map(|lasts| now.unix_ms_after(lasts)),
            comment: request.comment,
        };
        let before = self.rules.get(&pattern).map(|(_, rule)| rule.clone());
        let number = self.rules.put(pattern.clone(), rule.clone());
        let number = number.map_err(|error| Refusal::Conflict(error.to_string()))?;
        if let Err(error) = self.store.commit([Write::Rule(&pattern, Some(&rule))]) {
            match before {
                Some(before) => drop(self.rules.put(pattern, before)),
                None => drop(self.rules.remove(&pattern)),
            }
            return Err(failed(error));
        }
        let kernel = rule.to_kernel(number, ends(&rule, now));
        self.put_in_force(&pattern, |rules| {
            if before.is_none() {
                rules.clear_counters(number)?;
            }
            rules.set(pattern.key(), kernel)
        })?;
        let text = format!("{} {}", rule.action.name(), mode_name(rule.shadow));
        self.tell(now, "rule", Some(pattern.to_string()), text);
        let mut notes = vec![format!(
            "{pattern}: {} from the next ClientHello on",
            if rule.shadow { "counted only" } else { rule.action.name() }
        )];
        if self.mode() == HostMode::Monitor && !rule.shadow {
            notes.push("the host only monitors: rules count until `palisade mode enforce`".into());
        }
        Ok(Done { changed: 1, notes })
    }

    pub(super) fn handle_rule_removal(&mut self, pattern: &str, now: Now) -> Result<Done, Refusal> {
        let pattern = parse(pattern)?;
        if self.rules.get(&pattern).is_none() {
            return Err(Refusal::NotFound(format!("there is no rule on {pattern}")));
        }
        self.store.commit([Write::Rule(&pattern, None)]).map_err(failed)?;
        self.rules.remove(&pattern);
        self.put_in_force(&pattern, |rules| rules.remove(pattern.key()))?;
        self.tell(now, "rule", Some(pattern.to_string()), "removed".into());
        let note = "connections that it has ended stay so for a minute".to_owned();
        Ok(Done { changed: 1, notes: vec![note] })
    }

    /// Clears rules away that have ended; the kernel ignores them already.
    pub(super) fn tend_rules(&mut self, now: Now) {
        for pattern in self.rules.over(now.unix_ms) {
            self.rules.remove(&pattern);
            self.tell(now, "rule", Some(pattern.to_string()), "ended".into());
            if self.put_in_force(&pattern, |rules| rules.remove(pattern.key())).is_err() {
                tracing::warn!(%pattern, "an ended rule stays in the kernel, which ignores it");
            }
            if let Err(error) = self.store.commit([Write::Rule(&pattern, None)]) {
                tracing::error!(%error, "the store can't be written");
            }
        }
    }

    /// Changes the kernel's rules, and then which kinds it looks for.
    fn put_in_force(
        &mut self,
        pattern: &Pattern,
        change: impl FnOnce(&mut RuleMaps) -> Result<(), MapError>,
    ) -> Result<(), Refusal> {
        let gone = || Refusal::Failed(format!("{pattern}: the filter was taken off"));
        let datapath = self.datapath.as_mut().ok_or_else(gone)?;
        change(&mut datapath.rules).map_err(failed)?;
        self.write_config().map_err(failed)
    }

    pub(super) fn report_rules(&mut self, now: Now) -> Result<Vec<RuleEntry>, Refusal> {
        let gone = || Refusal::Failed("the filter was taken off".into());
        let datapath = self.datapath.as_ref().ok_or_else(gone)?;
        let entries = self.rules.iter().map(|(pattern, number, rule)| {
            let counted = datapath.rules.counters(number).map_err(failed)?;
            let left_ms = rule.expires_unix_ms.map(|at| at.saturating_sub(now.unix_ms));
            Ok(RuleEntry {
                pattern: pattern.clone(),
                action: rule.action,
                mode: mode_name(rule.shadow).into(),
                matched: counted.matched,
                ended: counted.ended,
                expires_in_s: left_ms.map(|ms| ms.div_ceil(1000)),
                comment: rule.comment.clone(),
            })
        });
        entries.collect()
    }
}

/// When a rule ends, on the kernel's clock.
fn ends(rule: &HelloRule, now: Now) -> u64 {
    rule.expires_unix_ms.map_or(u64::MAX, |expires| now.ktime_of(expires))
}

fn parse(text: &str) -> Result<Pattern, Refusal> {
    text.parse().map_err(|error: PatternError| Refusal::Invalid(error.to_string()))
}
