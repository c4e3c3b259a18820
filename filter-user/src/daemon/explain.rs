//! Why an address passes or not: the walk of a packet, told step by step.

use super::engine::{Engine, action_name};
use super::policy::unix_s;
use super::report::mode_name;
use crate::clock::Now;
use crate::config::HostMode;
use crate::control::api::{Explanation, Step};
use crate::policy::list::ListAction;
use crate::policy::{ALLOW_LIST, BLOCK_LIST, Holder};
use crate::verdict::{Verdict, VerdictAction, VerdictSource, client_of, prefix_of};
use filter_common::abi::width::VerdictKey;
use std::fmt::Write as _;
use std::net::IpAddr;

/// What a step does to a packet.
pub(super) enum Effect {
    Allow,
    Drop { shadow: bool },
    Limit,
    Nothing,
}

/// A step with its effect and the way to undo it.
pub(super) struct Finding {
    pub(super) step: Step,
    pub(super) effect: Effect,
    pub(super) way_out: Option<String>,
}

impl Engine {
    pub(super) fn report_explanation(&mut self, address: IpAddr, now: Now) -> Explanation {
        let client = client_of(address);
        let mut findings = self.find_entries(address, now);
        findings.extend(self.find_verdicts(address, now));
        findings.extend(self.find_limits(address, now));
        findings.push(self.find_rules());
        let fingerprints = self.report_client(address).unwrap_or_else(|error| {
            tracing::warn!(%error, "what is remembered of clients can't be read");
            Vec::new()
        });
        let deciding = findings.iter().find(|finding| finding.effect.ends(self.mode()));
        let deciding = deciding
            .or_else(|| findings.iter().find(|finding| !matches!(finding.effect, Effect::Nothing)));
        let effect = deciding.map_or("pass", |finding| finding.effect.name(self.mode()));
        let reason = deciding.map_or("no rule says anything about it".into(), |finding| {
            format!("{}: {}", finding.step.step, finding.step.result)
        });
        Explanation {
            address: address.to_string(),
            client: prefix_of(&client.into()).to_string(),
            effect: effect.into(),
            reason,
            way_out: deciding.and_then(|finding| finding.way_out.clone()),
            steps: findings.into_iter().map(|finding| finding.step).collect(),
            fingerprints,
            class: self.report_class(address, now),
            behaviour: self.report_behaviour(address, now),
        }
    }

    /// Every entry that holds the address, the strongest first.
    fn find_entries(&self, address: IpAddr, now: Now) -> Vec<Finding> {
        let holders = self.policy.holders(address, unix_s(now));
        if holders.is_empty() {
            return vec![nothing("address policy", "on no list")];
        }
        let mut decided = false;
        let mut find = |holder: &Holder<'_>| {
            let finding = find_entry(holder, decided, now);
            decided |= !holder.is_shadow();
            finding
        };
        holders.iter().map(&mut find).collect()
    }

    /// Rules on hellos are about no address.
    fn find_rules(&self) -> Finding {
        let result = match self.rules.iter().count() {
            0 => "none".to_owned(),
            1 => "one, about hellos of any client: `palisade rule ls`".to_owned(),
            count => format!("{count}, about hellos of any client: `palisade rule ls`"),
        };
        nothing("ClientHello rules", &result)
    }

    /// Every verdict that holds the address, the strongest first.
    fn find_verdicts(&self, address: IpAddr, now: Now) -> Vec<Finding> {
        let found = self.verdicts.holding(address, now.unix_ms);
        if found.is_empty() {
            return vec![nothing("client verdict", "none")];
        }
        found.iter().map(|(key, verdict)| find_verdict(key, verdict, now)).collect()
    }
}

/// What an entry does; nothing, once a stronger one has decided.
fn find_entry(holder: &Holder<'_>, decided: bool, now: Now) -> Finding {
    let Holder { name, list, prefix, note } = holder;
    let shadow = holder.is_shadow();
    let mut result = format!("{prefix} on list {name} ({})", list.settings.action);
    if note.expires_unix_s != 0 {
        let left_s = note.expires_unix_s.saturating_sub(unix_s(now));
        let _ = write!(result, ", for {left_s} s more");
    }
    let remarks = [(shadow, ", in shadow"), (decided, ", overruled by the above")];
    remarks.into_iter().filter(|(holds, _)| *holds).for_each(|(_, text)| result.push_str(text));
    if !note.comment.is_empty() {
        let _ = write!(result, ": {}", note.comment);
    }
    let effect = match list.settings.action {
        _ if decided => Effect::Nothing,
        ListAction::Block => Effect::Drop { shadow },
        ListAction::Allow if !shadow => Effect::Allow,
        ListAction::Limit(_) if !shadow => Effect::Limit,
        _ => Effect::Nothing,
    };
    let command = match *name {
        ALLOW_LIST | BLOCK_LIST => format!("palisade {name} del {prefix}"),
        name => format!("palisade list del {name} {prefix}"),
    };
    Finding { step: step("address policy", result), effect, way_out: Some(command) }
}

fn find_verdict(key: &VerdictKey, verdict: &Verdict, now: Now) -> Finding {
    let (prefix, left_s) = (prefix_of(key), (verdict.expires_unix_ms - now.unix_ms).div_ceil(1000));
    let (action, mode) = (action_name(verdict.action), mode_name(verdict.shadow));
    let result = format!("{action} ({mode}) of {prefix} for {left_s} s more: {}", verdict.reason);
    let effect = match verdict.action {
        VerdictAction::Block => Effect::Drop { shadow: verdict.shadow },
        VerdictAction::Throttle => Effect::Limit,
    };
    let command = match verdict.source {
        VerdictSource::Classifier => "forgive",
        VerdictSource::Operator | VerdictSource::FingerprintRule => "verdict del",
    };
    let way_out = Some(format!("palisade {command} {prefix}"));
    Finding { step: step("client verdict", result), effect, way_out }
}

impl Effect {
    /// Whether the walk ends here.
    const fn ends(&self, mode: HostMode) -> bool {
        match self {
            Self::Allow => true,
            Self::Drop { shadow } => !*shadow && matches!(mode, HostMode::Enforce),
            Self::Limit | Self::Nothing => false,
        }
    }

    const fn name(&self, mode: HostMode) -> &'static str {
        match self {
            Self::Allow | Self::Nothing => "pass",
            Self::Limit => "limited",
            Self::Drop { .. } if self.ends(mode) => "drop",
            Self::Drop { .. } => "would-drop",
        }
    }
}

pub(super) fn step(step: &str, result: String) -> Step {
    Step { step: step.into(), result }
}

pub(super) fn nothing(name: &str, result: &str) -> Finding {
    Finding { step: step(name, result.into()), effect: Effect::Nothing, way_out: None }
}
