//! What the classifier holds of clients and fingerprints, and what it decided.

use super::engine::Engine;
use super::operator::failed;
use super::report::mode_name;
use crate::classify::decision::exception::Exception;
use crate::classify::decision::{Action, Decision, Whom, network};
use crate::classify::evidence::Hello;
use crate::classify::judgement::Judgement;
use crate::clock::Now;
use crate::config::{ConfigError, load_policy};
use crate::control::api::{
    Behaviour, ClientClass, Done, FingerprintExplanation, FittingRule, ReviewRow, SignalEntry,
};
use crate::control::handle::Refusal;
use crate::verdict::client_of;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Subjects that a row of a review names.
const EXAMPLES: usize = 5;

impl Engine {
    /// What is held of an address's client, and why.
    pub(super) fn report_class(&self, address: IpAddr, now: Now) -> Option<ClientClass> {
        let client = client_of(address);
        let Judgement { class, score, signals } = self.detector.judge(&client, now.unix_ms)?;
        let shown = self.detector.clients.get(&client)?;
        let system = shown.evidence.hellos.iter().rev().find_map(Hello::system);
        Some(ClientClass {
            class: class.name().into(),
            score,
            signals: signals.into_iter().map(SignalEntry::from).collect(),
            system: system.map(|system| system.name().into()),
            first_unix_ms: shown.first_unix_ms,
            last_unix_ms: shown.last_unix_ms,
        })
    }

    /// What an address's client does, and what follows from it.
    pub(super) fn report_behaviour(&self, address: IpAddr, now: Now) -> Behaviour {
        let client = client_of(address);
        let whom = Whom::Network(network::of(client));
        let mut excepted = self.detector.judge.policy().except.iter();
        let excepted = excepted.find(|net| whom.meets(&Whom::Network(**net)));
        let by_policy = excepted.map(|net| format!("the policy excepts {net}"));
        Behaviour {
            standings: self.detector.judge.standings(client, now.unix_ms),
            decisions: self.in_force(&whom, now),
            exception: by_policy.or_else(|| self.exception(&whom, now)),
        }
    }

    /// All that is known of a fingerprint, and what follows from it.
    pub(super) fn report_judged_fingerprint(
        &mut self,
        ja4: &str,
        now: Now,
    ) -> Result<FingerprintExplanation, Refusal> {
        let fingerprint = self.report_fingerprint(ja4, now)?.entry;
        let all = self.hellos_remembered().map_err(failed)?;
        let whom = Whom::Fingerprint(ja4.to_owned());
        let rules = self.rules.iter().filter(|(pattern, ..)| pattern.fits(ja4));
        let rules = rules.map(|(pattern, _, rule)| FittingRule {
            pattern: pattern.clone(),
            action: rule.action.to_string(),
            mode: mode_name(rule.shadow).into(),
            automatic: rule.automatic,
            comment: rule.comment.clone(),
            expires_in_s: rule
                .expires_unix_ms
                .map(|at| at.saturating_sub(now.unix_ms).div_ceil(1000)),
        });
        let rules: Vec<_> = rules.collect();
        let excepted = self.detector.judge.policy().except_fingerprints.iter();
        let by_policy = excepted.clone().any(|kept| kept == ja4);
        let by_policy = by_policy.then(|| "the policy excepts it".to_owned());
        let way_out = rules.first().map(|rule| {
            if rule.automatic {
                format!("palisade forgive {ja4}")
            } else {
                format!("palisade rule del {}", rule.pattern)
            }
        });
        let known = self.detector.knowledge.look_up(ja4);
        Ok(FingerprintExplanation {
            share_permille: (fingerprint.hellos * 1000).checked_div(all).unwrap_or(0),
            fingerprint,
            known: known.map(|known| format!("{} ({})", known.kind.name(), known.programs)),
            groups: self.detector.judge.group_standings(ja4, now.unix_ms),
            decisions: self.in_force(&whom, now),
            rules,
            exception: by_policy.or_else(|| self.exception(&whom, now)),
            way_out,
        })
    }

    /// What is decided, and would act or acts, by what it has in common.
    pub(super) fn report_review(&self, now: Now) -> Vec<ReviewRow> {
        let made = self.detector.judge.records().filter_map(|(_, record)| record.last.as_ref());
        let made = made.filter(|decision| decision.action > Action::Watch);
        let mut rows: BTreeMap<_, Vec<&Decision>> = BTreeMap::new();
        for decision in made {
            let Decision { service, action, shadow, line, class, ja4, .. } = decision;
            let key = (service, !shadow, action, line, class, ja4);
            rows.entry(key).or_default().push(decision);
        }
        let mut rows: Vec<_> =
            rows.into_values().filter_map(|same| self.review_row(&same)).collect();
        rows.sort_by_key(|row| {
            std::cmp::Reverse((row.subjects, now.unix_ms.saturating_sub(row.last_unix_ms)))
        });
        rows
    }

    fn review_row(&self, same: &[&Decision]) -> Option<ReviewRow> {
        let last = same.iter().max_by_key(|decision| decision.at_ms)?;
        let good = same.iter().filter(|decision| match &decision.whom {
            Whom::Network(net) => self.detector.judge.is_good(client_of(net.addr())),
            Whom::Fingerprint(_) => false,
        });
        let known = last.ja4.as_ref().and_then(|ja4| self.detector.knowledge.look_up(ja4));
        let known = known.map(|known| format!("{} ({})", known.kind.name(), known.programs));
        let label = last.ja4.as_ref().and_then(|ja4| self.labels.get(ja4).cloned());
        let examples = same.iter().take(EXAMPLES).map(|decision| decision.whom.to_string());
        Some(ReviewRow {
            service: last.service.clone(),
            action: last.action.name().into(),
            mode: mode_name(last.shadow).into(),
            line: last.line.clone(),
            class: last.class.name().into(),
            ja4: last.ja4.clone(),
            label: label.or(known),
            subjects: same.len(),
            good: good.count(),
            examples: examples.collect(),
            reason: last.reason(),
            first_unix_ms: same.iter().map(|decision| decision.at_ms).min()?,
            last_unix_ms: last.at_ms,
        })
    }

    /// The exceptions that operators made and that hold.
    pub(super) fn report_exceptions(&self, now: Now) -> Vec<Exception> {
        let all = self.detector.judge.exceptions().iter();
        all.filter(|exception| exception.holds_at(now.unix_ms)).cloned().collect()
    }

    /// Reads the policy again. What is in force stays until it ends.
    pub(super) fn handle_reload(&mut self, now: Now) -> Result<Done, Refusal> {
        let Some(path) = self.config.classify.policy.clone() else {
            let text = "the configuration names no policy: [classify] policy = \"policy.toml\"";
            return Err(Refusal::Conflict(text.into()));
        };
        let policy = load_policy(&path).map_err(|error| Refusal::Invalid(told(&error)))?;
        let changed = usize::from(policy != *self.detector.judge.policy());
        if changed == 0 {
            let notes = vec![format!("{} says what is in force already", path.display())];
            return Ok(Done { changed, notes });
        }
        self.detector.judge.set_policy(policy);
        self.tell(now, "policy", None, format!("{} was read again", path.display()));
        let notes = vec![format!(
            "{} is in force; what was decided before stays until it ends or is decided anew, and \
             evidence is gathered anew",
            path.display()
        )];
        Ok(Done { changed, notes })
    }

    fn in_force(&self, whom: &Whom, now: Now) -> Vec<Decision> {
        let records = self.detector.judge.records();
        let about = records.filter(|((_, kept), _)| kept.meets(whom));
        about.filter_map(|(_, record)| record.in_force(now.unix_ms).cloned()).collect()
    }

    fn exception(&self, whom: &Whom, now: Now) -> Option<String> {
        let mut all = self.detector.judge.exceptions().iter();
        let found = all.find(|one| one.holds_at(now.unix_ms) && one.whom.meets(whom))?;
        Some(format!("an operator excepts {}: {}", found.whom, found.reason))
    }
}

fn told(error: &ConfigError) -> String {
    let source =
        std::error::Error::source(error).map_or_else(String::new, |why| format!(": {why}"));
    format!("{error}{source}")
}
