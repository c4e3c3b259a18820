//! Rules on `ClientHello`s: commands, and what the kernel has of them.

use super::engine::Engine;
use super::operator::failed;
use super::report::mode_name;
use crate::clock::Now;
use crate::config::{HostMode, parse_duration};
use crate::control::api::{Done, RuleEntry, SetRule};
use crate::control::handle::Refusal;
use crate::fingerprint::Ja3;
use crate::limit::NamedLimit;
use crate::rule::{HelloRule, Learned, Pattern, PatternError, Placed, RuleAction, Target};
use crate::store::Write;
use aya::maps::MapError;

impl Engine {
    /// Puts what was stored in the place of whatever an earlier daemon left in the kernel.
    pub(super) fn restore_rules(
        &mut self,
        saved: Vec<(Pattern, HelloRule)>,
        now: Now,
    ) -> Result<(), MapError> {
        let secret = self.secret()?;
        let Some(datapath) = &mut self.datapath else {
            return Ok(());
        };
        // What was counted stays with the rule that it was counted for.
        let numbers = datapath.rules.numbers()?;
        let (over, saved): (Vec<_>, Vec<_>) =
            saved.into_iter().partition(|(_, rule)| rule.is_over(now.unix_ms));
        let mut new = Vec::new();
        for (pattern, mut rule) in saved {
            rule.learned = rule.learned.filter(|learned| learned.is_keyed_by(secret));
            let learned = rule.learned.map(|learned| pattern.key_of_wire(learned.wire));
            match learned.or_else(|| pattern.key(secret)).and_then(|key| numbers.get(&key)) {
                Some(number) if self.rules.put_at(pattern.clone(), rule.clone(), *number) => {}
                _ => new.push((pattern, rule)),
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
        for (pattern, name) in self.unlimited() {
            tracing::error!(
                %pattern, limit = name,
                "the rule limits nobody: there is no such limit any more, or it doesn't count \
                 handshakes by client or fingerprint"
            );
        }
        self.refresh_rules(now)
    }

    /// Rules that name a limit that isn't there, or that they can't use.
    fn unlimited(&self) -> Vec<(Pattern, String)> {
        let found = self.rules.iter().filter_map(|(pattern, _, rule)| {
            let RuleAction::Limit(name) = &rule.action else {
                return None;
            };
            let fits = |limit: &NamedLimit| limit.settings.fits_rules();
            let is_there = self.limits.get(name).is_some_and(fits);
            (!is_there).then(|| (pattern.clone(), name.clone()))
        });
        found.collect()
    }

    /// Makes the kernel's rules those of the book. Those that stay are in force throughout.
    pub(super) fn refresh_rules(&mut self, now: Now) -> Result<(), MapError> {
        let secret = self.secret()?;
        let wanted = self.rules.iter().filter_map(|(pattern, number, rule)| {
            let key = self.rules.key(pattern, secret)?;
            Some((key, rule.to_kernel(&self.place(number, rule, now))))
        });
        let wanted = wanted.collect();
        let Some(datapath) = &mut self.datapath else {
            return Ok(());
        };
        datapath.rules.replace(&wanted)
    }

    pub(super) fn handle_rule(
        &mut self,
        pattern: &str,
        request: SetRule,
        now: Now,
    ) -> Result<Done, Refusal> {
        let pattern = parse(pattern)?;
        if pattern.is_quic() && request.action != RuleAction::Block {
            let text = format!("{pattern}: only the action block is there for QUIC");
            return Err(Refusal::Invalid(text));
        }
        let lasts = request.lasts.as_deref().map(parse_duration).transpose();
        let lasts = lasts.map_err(Refusal::Invalid)?;
        let rule = HelloRule {
            action: request.action,
            shadow: request.shadow,
            expires_unix_ms: lasts.map(|lasts| now.unix_ms_after(lasts)),
            comment: request.comment,
            automatic: false,
            learned: self.rules.learned(&pattern),
        };
        self.check_rule_limit(&pattern, &rule.action)?;
        self.settle();
        let before = self.put_rule(&pattern, rule.clone(), now)?;
        if let Err(error) = self.store.commit([Write::Rule(&pattern, Some(&rule))]) {
            self.take_back(&pattern, before, now);
            return Err(failed(error));
        }
        let text = format!("{} {}", rule.action, mode_name(rule.shadow));
        self.tell(now, "rule", Some(pattern.to_string()), text);
        Ok(Done { changed: 1, notes: self.rule_notes(&pattern, &rule) })
    }

    /// Puts a rule into the book and in force; the one that it takes the place of.
    ///
    /// *Errors*: no room, or a kernel that refuses; nothing has changed then.
    pub(super) fn put_rule(
        &mut self,
        pattern: &Pattern,
        rule: HelloRule,
        now: Now,
    ) -> Result<Option<HelloRule>, Refusal> {
        let before = self.rules.get(pattern).map(|(_, rule)| rule.clone());
        let number = self.rules.put(pattern.clone(), rule);
        let number = number.map_err(|error| Refusal::Conflict(error.to_string()))?;
        if let Err(error) = self.put_in_force(pattern, before.is_none().then_some(number), now) {
            self.take_back(pattern, before, now);
            return Err(error);
        }
        Ok(before)
    }

    /// Puts back what was said before: the kernel or the disk has refused a rule.
    fn take_back(&mut self, pattern: &Pattern, before: Option<HelloRule>, now: Now) {
        match before {
            Some(before) => drop(self.rules.put(pattern.clone(), before)),
            None => drop(self.rules.remove(pattern)),
        }
        if let Err(error) = self.refresh_rules(now).and_then(|()| self.write_config()) {
            tracing::error!(%error, "the kernel keeps a rule that was refused, until the next start");
        }
    }

    /// What an operator should know of a rule that he made.
    fn rule_notes(&self, pattern: &Pattern, rule: &HelloRule) -> Vec<String> {
        let does = if rule.shadow { "counted only".to_owned() } else { rule.action.to_string() };
        let mut notes = vec![match &pattern.target {
            Target::Ja3(_) if self.rules.key(pattern, 0).is_none() => format!(
                "{pattern}: {does} from the second such ClientHello on: the kernel doesn't know \
                 MD5, and learns from the first what it looks like"
            ),
            _ => format!("{pattern}: {does} from the next ClientHello on"),
        }];
        if pattern.is_quic() {
            notes = self.quic_notes(pattern, rule);
        }
        if let RuleAction::Limit(name) = &rule.action
            && self.limits.get(name).is_some_and(|limit| !limit.settings.is_on())
        {
            notes.push(format!("the limit {name} is off: nothing is limited"));
        }
        if self.mode() == HostMode::Monitor && !rule.shadow {
            notes.push("the host only monitors: rules count until `palisade mode enforce`".into());
        }
        notes
    }

    /// Why a rule doesn't do what it says, if it doesn't.
    fn note(&self, pattern: &Pattern, rule: &HelloRule) -> Option<String> {
        if pattern.is_quic() {
            let only_counts = !self.config.quic.verdicts && !rule.shadow;
            return only_counts.then(|| "only counts: [quic] verdicts is off".into());
        }
        if self.rules.key(pattern, 0).is_none() {
            return Some("learns from the next such hello".into());
        }
        let RuleAction::Limit(name) = &rule.action else {
            return None;
        };
        match self.limits.get(name).map(|limit| &limit.settings) {
            None => Some(format!("there is no limit {name} any more")),
            Some(settings) if !settings.fits_rules() => {
                Some(format!("{name} doesn't count handshakes by client or fingerprint"))
            }
            Some(settings) if !settings.is_on() => Some(format!("{name} is off")),
            Some(_) => None,
        }
    }

    /// Whether a limit can be what a rule names.
    fn check_rule_limit(&self, pattern: &Pattern, action: &RuleAction) -> Result<(), Refusal> {
        let RuleAction::Limit(name) = action else {
            return Ok(());
        };
        let limits = self.limits.profiles().iter();
        let usable = limits.filter(|(_, limit)| limit.settings.fits_rules());
        let names: Vec<_> = usable.map(|(name, _)| name.as_str()).collect();
        let settings = self.limits.get(name).map(|limit| &limit.settings);
        match settings {
            Some(settings)
                if settings.fits_rules() && matches!(pattern.target, Target::Cause(_)) =>
            {
                // There is no fingerprint to count by.
                if settings.key.needs_fingerprint() {
                    let text = format!("{pattern} has no fingerprint, by which {name} counts");
                    return Err(Refusal::Conflict(text));
                }
                Ok(())
            }
            Some(settings) if settings.fits_rules() => Ok(()),
            found => {
                let what = if found.is_some() {
                    "doesn't count handshakes by client or fingerprint"
                } else {
                    "isn't there"
                };
                let there = if names.is_empty() { "none is".to_owned() } else { names.join(", ") };
                Err(Refusal::Conflict(format!(
                    "the limit {name} {what}; fit for rules: {there}. `palisade limit set NAME \
                     --unit handshakes --key fingerprint --rate 100/m` makes one"
                )))
            }
        }
    }

    pub(super) fn handle_rule_removal(&mut self, pattern: &str, now: Now) -> Result<Done, Refusal> {
        let pattern = parse(pattern)?;
        let Some((_, before)) = self.rules.get(&pattern) else {
            return Err(Refusal::NotFound(format!("there is no rule on {pattern}")));
        };
        let gone = || Refusal::Failed(format!("{pattern}: the filter was taken off"));
        let is_over = before.is_over(now.unix_ms);
        self.settle();
        if is_over {
            self.tend_rules(now);
            return Ok(Done { changed: 1, notes: Vec::new() });
        }
        let secret = self.secret().map_err(failed)?;
        if let Some(key) = self.rules.key(&pattern, secret) {
            let datapath = self.datapath.as_mut().ok_or_else(gone)?;
            datapath.rules.remove(key).map_err(failed)?;
        }
        if let Err(error) = self.store.commit([Write::Rule(&pattern, None)]) {
            // It is in force as before.
            self.put_in_force(&pattern, None, now)?;
            return Err(failed(error));
        }
        self.rules.remove(&pattern);
        self.write_config().map_err(failed)?;
        self.tell(now, "rule", Some(pattern.to_string()), "removed".into());
        let note = "connections that it has ended stay so as long as their server waits".to_owned();
        Ok(Done { changed: 1, notes: vec![note] })
    }

    /// A hello tells what its JA3 is made of: rules on that act from now on. What fails is tried
    /// again with the next such hello.
    pub(super) fn learn_ja3(&mut self, ja3: &Ja3, wire: u64, now: Now) {
        if !self.rules.names_ja3(ja3) {
            return;
        }
        let Ok(secret) = self.secret() else {
            return;
        };
        let learned = Learned::of(wire, secret);
        for pattern in self.rules.to_learn(ja3, learned) {
            if let Err(error) = self.learn(&pattern, learned, now) {
                tracing::error!(%pattern, ?error, "a rule can't be put in force");
            }
        }
    }

    fn learn(&mut self, pattern: &Pattern, learned: Learned, now: Now) -> Result<(), Refusal> {
        let Some((_, before)) = self.rules.get(pattern) else {
            return Ok(());
        };
        let before = before.clone();
        let rule = HelloRule { learned: Some(learned), ..before.clone() };
        // It has a number already, so there is room.
        let _ = self.rules.put(pattern.clone(), rule.clone());
        let learned = self
            .put_in_force(pattern, None, now)
            .and_then(|()| self.store.commit([Write::Rule(pattern, Some(&rule))]).map_err(failed));
        if learned.is_err() {
            self.take_back(pattern, Some(before), now);
        } else {
            self.tell(now, "rule", Some(pattern.to_string()), "acts from now on".into());
        }
        learned
    }

    /// Clears rules away that have ended; the kernel ignores them already.
    pub(super) fn tend_rules(&mut self, now: Now) {
        let over = self.rules.over(now.unix_ms);
        if over.is_empty() {
            return;
        }
        for pattern in &over {
            self.rules.remove(pattern);
            self.tell(now, "rule", Some(pattern.to_string()), "ended".into());
        }
        if let Err(error) = self.refresh_rules(now).and_then(|()| self.write_config()) {
            tracing::warn!(%error, "ended rules stay in the kernel, which ignores them");
        }
        self.unsaved.rules.extend(over);
    }

    /// Puts a rule of the book into the kernel, and then says which kinds there are. Nothing was
    /// counted yet under a number that is new.
    fn put_in_force(
        &mut self,
        pattern: &Pattern,
        new: Option<u32>,
        now: Now,
    ) -> Result<(), Refusal> {
        let gone = || Refusal::Failed(format!("{pattern}: the filter was taken off"));
        let secret = self.secret().map_err(failed)?;
        let Some((number, rule)) = self.rules.get(pattern) else {
            return Ok(());
        };
        let kernel = rule.to_kernel(&self.place(number, rule, now));
        let key = self.rules.key(pattern, secret);
        let datapath = self.datapath.as_mut().ok_or_else(gone)?;
        if let Some(number) = new {
            datapath.rules.clear_counters(number).map_err(failed)?;
        }
        if let Some(key) = key {
            datapath.rules.set(key, kernel).map_err(failed)?;
        }
        self.write_config().map_err(failed)
    }

    /// What the kernel knows of a rule by numbers.
    fn place(&self, number: u32, rule: &HelloRule, now: Now) -> Placed {
        let limit = match &rule.action {
            RuleAction::Limit(name) => self.limits.get(name),
            _ => None,
        };
        let limit = limit.filter(|limit| limit.settings.is_on() && limit.settings.fits_rules());
        let profile = limit.and_then(|limit| u16::try_from(limit.number).ok()).unwrap_or(0);
        Placed { number, profile, expires_ns: ends(rule, now) }
    }

    /// What keys names in the kernel.
    pub(super) fn secret(&self) -> Result<u64, MapError> {
        let gone = || MapError::InvalidName { name: "the filter was taken off".into() };
        Ok(self.datapath.as_ref().ok_or_else(gone)?.maps.config()?.secret)
    }

    pub(super) fn report_rules(&mut self, now: Now) -> Result<Vec<RuleEntry>, Refusal> {
        let gone = || Refusal::Failed("the filter was taken off".into());
        let datapath = self.datapath.as_ref().ok_or_else(gone)?;
        let entries = self.rules.iter().map(|(pattern, number, rule)| {
            let counted = datapath.rules.counters(number).map_err(failed)?;
            let left_ms = rule.expires_unix_ms.map(|at| at.saturating_sub(now.unix_ms));
            Ok(RuleEntry {
                pattern: pattern.clone(),
                action: rule.action.clone(),
                note: self.note(pattern, rule),
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
