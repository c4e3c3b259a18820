//! What operators say of the classifier's decisions: forgiveness and exceptions.

use super::engine::Engine;
use super::operator::failed;
use crate::classify::decision::exception::Exception;
use crate::classify::decision::record::Key;
use crate::classify::decision::{Decision, Whom, WhomError};
use crate::clock::Now;
use crate::config::parse_duration;
use crate::control::api::{Done, FalsePositive};
use crate::control::handle::Refusal;
use crate::rule::Pattern;
use crate::store::Write;
use crate::verdict::{VerdictSource, prefix_of};
use filter_common::abi::width::VerdictKey;

impl Engine {
    /// Lifts what the classifier decided about somebody and about the prefixes around him, and
    /// forgets what led to it.
    pub(super) fn handle_forgive(&mut self, whom: &str, now: Now) -> Result<Done, Refusal> {
        let whom = parse(whom)?;
        let changed = self.lift(&whom, &[], now)?;
        let lifted = self.detector.judge.forgive(&whom, now.unix_ms);
        self.tell(now, "forgiven", Some(whom.to_string()), "by an operator".into());
        Ok(Done { changed: changed.max(lifted.len()), notes: notes(&whom, changed, &lifted) })
    }

    /// The same, and from now on the classifier decides nothing about him.
    pub(super) fn handle_false_positive(
        &mut self,
        request: FalsePositive,
        now: Now,
    ) -> Result<Done, Refusal> {
        let whom = parse(&request.whom)?;
        let lasts = request.lasts.as_deref().map(parse_duration).transpose();
        let lasts = lasts.map_err(Refusal::Invalid)?;
        let ends_ms = lasts.map(|lasts| now.unix_ms_after(lasts));
        let exception = Exception { whom: whom.clone(), reason: request.reason, ends_ms };
        let judge = &mut self.detector.judge;
        judge
            .has_room_for(&whom, now.unix_ms)
            .map_err(|full| Refusal::Conflict(full.to_string()))?;
        let changed = self.lift(&whom, &[Write::Exception(&whom, Some(&exception))], now)?;
        let text = format!("reported by an operator: {}", exception.reason);
        let judge = &mut self.detector.judge;
        let lifted = judge.report_false_positive(exception, now.unix_ms);
        let lifted = lifted.map_err(|full| Refusal::Conflict(full.to_string()))?;
        self.tell(now, "false-positive", Some(whom.to_string()), text);
        let mut notes = notes(&whom, changed, &lifted);
        notes.push(format!(
            "the classifier decides nothing about {whom} from now on; `palisade exception del \
             {whom}` takes that back"
        ));
        Ok(Done { changed: changed.max(1), notes })
    }

    pub(super) fn handle_exception_removal(
        &mut self,
        whom: &str,
        now: Now,
    ) -> Result<Done, Refusal> {
        let whom = parse(whom)?;
        if !self.detector.judge.exceptions().iter().any(|exception| exception.whom == whom) {
            return Err(Refusal::NotFound(format!("there is no exception for {whom}")));
        }
        self.store.commit([Write::Exception(&whom, None)]).map_err(failed)?;
        self.detector.judge.remove_exception(&whom);
        self.tell(now, "exception", Some(whom.to_string()), "removed by an operator".into());
        Ok(Done { changed: 1, notes: Vec::new() })
    }

    /// Takes what the classifier made out of the store and out of force, whether or not it still
    /// knows why. How much that was.
    fn lift(&mut self, whom: &Whom, more: &[Write<'_>], now: Now) -> Result<usize, Refusal> {
        self.settle();
        let records = self.detector.judge.about(whom);
        let (keys, patterns) = (self.verdicts_on(whom, &records, now), self.rules_on(whom));
        let verdicts = keys.iter().map(|key| Write::Verdict(prefix_of(key), None));
        let rules = patterns.iter().map(|pattern| Write::Rule(pattern, None));
        let decided = records.iter().map(|key| Write::Decided(key, None));
        let writes = decided.chain(verdicts).chain(rules).chain(more.iter().copied());
        self.store.commit(writes).map_err(failed)?;
        for key in &keys {
            self.maps().and_then(|maps| maps.clear_verdict(*key)).map_err(failed)?;
            self.verdicts.remove(key);
        }
        for pattern in &patterns {
            self.rules.remove(pattern);
        }
        if !patterns.is_empty() {
            self.refresh_rules(now).and_then(|()| self.write_config()).map_err(failed)?;
        }
        Ok(keys.len() + patterns.len())
    }

    /// What the classifier made about somebody, and what `records` have brought about.
    fn verdicts_on(&self, whom: &Whom, records: &[Key], now: Now) -> Vec<VerdictKey> {
        let all = self.verdicts.list(now.unix_ms).into_iter();
        let made = all.filter(|(_, verdict)| verdict.source == VerdictSource::Classifier);
        let is_meant = |key: &VerdictKey| {
            let own = Whom::Network(prefix_of(key));
            own.meets(whom) || records.iter().any(|(_, kept)| *kept == own)
        };
        made.map(|(key, _)| key).filter(is_meant).collect()
    }

    fn rules_on(&self, whom: &Whom) -> Vec<Pattern> {
        let Whom::Fingerprint(ja4) = whom else {
            return Vec::new();
        };
        let made =
            self.rules.iter().filter(|(pattern, _, rule)| rule.automatic && pattern.fits(ja4));
        made.map(|(pattern, ..)| pattern.clone()).collect()
    }
}

fn parse(text: &str) -> Result<Whom, Refusal> {
    text.parse().map_err(|error: WhomError| Refusal::Invalid(error.to_string()))
}

fn notes(whom: &Whom, changed: usize, lifted: &[Decision]) -> Vec<String> {
    let lifted = lifted.iter().map(|decision| {
        let Decision { action, whom, service, .. } = decision;
        format!("lifted: {} of {whom} at {service}: {}", action.name(), decision.reason())
    });
    let mut notes: Vec<_> = lifted.collect();
    if notes.is_empty() && changed == 0 {
        notes.push(format!(
            "nothing was in force about {whom}; what had been gathered about him is forgotten"
        ));
    }
    notes
}
