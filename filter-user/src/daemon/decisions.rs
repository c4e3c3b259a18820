//! Decisions of the classifier, put in force: verdicts on clients, rules on fingerprints.

use super::engine::{Engine, action_name};
use crate::classify::decision::{Action, Decision, Whom};
use crate::clock::Now;
use crate::rule::{HelloRule, Pattern, RuleAction};
use crate::verdict::{Verdict, VerdictAction, VerdictSource, key_of, prefix_of};
use ipnet::IpNet;

impl Engine {
    /// Carries decisions out and tells of them.
    pub(super) fn carry_out(&mut self, decisions: &[Decision], now: Now) {
        for decision in decisions {
            let shadow = if decision.shadow { " in shadow" } else { "" };
            let text = format!("{}{shadow}: {}", decision.action.name(), decision.reason());
            self.tell(now, "decision", Some(decision.whom.to_string()), text);
            match (&decision.whom, decision.action) {
                (_, Action::Watch) => {}
                (Whom::Network(net), Action::Limit) => {
                    self.hold(net, decision, VerdictAction::Throttle, now);
                }
                (Whom::Network(net), Action::Block) => {
                    self.hold(net, decision, VerdictAction::Block, now);
                }
                (Whom::Fingerprint(ja4), _) => self.hold_fingerprint(ja4, decision, now),
            }
        }
    }

    /// Makes a verdict of a decision about a network, unless what is in force does as much.
    fn hold(&mut self, net: &IpNet, decision: &Decision, action: VerdictAction, now: Now) {
        let Some(key) = key_of(net) else {
            tracing::error!(%net, "no verdict can be about a network of this length");
            return;
        };
        let verdict = Verdict {
            action,
            shadow: decision.shadow,
            source: VerdictSource::Classifier,
            reason: decision.reason(),
            expires_unix_ms: decision.ends_ms,
        };
        let present = self.verdicts.get(&key, now.unix_ms);
        if present.is_some_and(|present| present.outweighs(&verdict)) {
            return;
        }
        let text = format!("{}: {}", action_name(action), verdict.reason);
        match self.enforce(key, verdict, now) {
            Ok(true) => {
                self.unsaved.verdicts.insert(key);
                self.tell(now, "verdict", Some(prefix_of(&key).to_string()), text);
            }
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the kernel refused a verdict"),
        }
    }

    /// Makes rules of a decision about a fingerprint, one for each port of its service. What an
    /// operator says of the same stands.
    fn hold_fingerprint(&mut self, ja4: &str, decision: &Decision, now: Now) {
        let rule = match self.rule_of(decision) {
            Ok(rule) => rule,
            Err(why) => {
                tracing::info!(ja4, service = decision.service, "only noted: {why}");
                return;
            }
        };
        let Ok(pattern) = Pattern::ja4(ja4) else {
            return;
        };
        for port in self.ports_of(&decision.service) {
            let pattern = Pattern { port, ..pattern.clone() };
            if self.rules.get(&pattern).is_some_and(|(_, rule)| !rule.automatic) {
                continue;
            }
            if let Err(refusal) = self.put_rule(&pattern, rule.clone(), now) {
                tracing::error!(%pattern, error = %refusal, "a rule can't be put in force");
                continue;
            }
            let text = format!("{}: {}", rule.action, rule.comment);
            self.tell(now, "rule", Some(pattern.to_string()), text);
            self.unsaved.rules.insert(pattern);
        }
    }

    /// *Errors*: why nothing can be done about it but tell.
    fn rule_of(&self, decision: &Decision) -> Result<HelloRule, &'static str> {
        let policy = self.detector.judge.policy();
        let service = policy.services.get(&decision.service);
        if service.is_some_and(|service| !service.hosts.is_empty()) {
            return Err("a rule on a fingerprint can't tell hosts apart that share a port");
        }
        let action = match (decision.action, &policy.group_limit) {
            (Action::Block, _) => RuleAction::Block,
            (_, Some(name)) if self.limits.get(name).is_some_and(|of| of.settings.fits_rules()) => {
                RuleAction::Limit(name.clone())
            }
            _ => return Err("`group_limit` names no limit that counts handshakes by fingerprint"),
        };
        Ok(HelloRule {
            action,
            shadow: decision.shadow,
            expires_unix_ms: Some(decision.ends_ms),
            comment: decision.reason(),
            automatic: true,
            learned: None,
        })
    }

    fn ports_of(&self, service: &str) -> Vec<Option<u16>> {
        let service = self.detector.judge.policy().services.get(service);
        let ports = service.map(|service| service.ports.as_slice()).unwrap_or_default();
        if ports.is_empty() { vec![None] } else { ports.iter().copied().map(Some).collect() }
    }
}
