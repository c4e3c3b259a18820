//! Explanations for people.

use super::render::{span, table, when};
use crate::classify::decision::judge::{GroupStanding, Standing};
use crate::classify::decision::{Decision, Finding};
use crate::control::api::{
    Behaviour, ClientClass, Explanation, FingerprintExplanation, FittingRule, SignalEntry,
};
use std::fmt::Write;

/// What happens to an address.
pub(super) fn address(explanation: &Explanation) -> String {
    let Explanation { address, client, effect, reason, .. } = explanation;
    let mut text = format!("{address} (client {client}): {effect}\n{reason}\n");
    if let Some(way_out) = &explanation.way_out {
        let _ = writeln!(text, "to change it: {way_out}");
    }
    let rows = explanation.steps.iter().map(|step| vec![step.step.clone(), step.result.clone()]);
    text += &table(&["check", "says"], rows);
    if let Some(class) = &explanation.class {
        text += &client_class(class);
    }
    text += &behaviour(&explanation.behaviour);
    if explanation.fingerprints.is_empty() {
        return text;
    }
    let rows = explanation.fingerprints.iter();
    let rows = rows.map(|one| vec![one.fingerprint.clone(), one.wire_orders.to_string()]);
    text + "\n" + &table(&["its last fingerprints", "wire orders"], rows)
}

fn client_class(class: &ClientClass) -> String {
    let ClientClass { class: name, score, system, first_unix_ms, last_unix_ms, .. } = class;
    let from = system.as_ref().map(|system| format!(", on {system}")).unwrap_or_default();
    let (first, last) = (when(*first_unix_ms), when(*last_unix_ms));
    let mut text =
        format!("\nits class by its hellos: {name}{from}, score {score}; seen {first} to {last}\n");
    if !class.signals.is_empty() {
        let row = |signal: &SignalEntry| {
            vec![signal.name.clone(), signal.weight.to_string(), signal.evidence.clone()]
        };
        text += &table(&["signal", "weight", "evidence"], class.signals.iter().map(row));
    }
    text
}

/// What is known of a fingerprint.
pub(super) fn fingerprint(explanation: &FingerprintExplanation) -> String {
    let FingerprintExplanation { fingerprint, share_permille, known, way_out, .. } = explanation;
    let known = known.as_deref().unwrap_or("not known before it was seen here");
    let mut text = format!("{}: {known}\n", fingerprint.ja4);
    let (first, last) = (when(fingerprint.first_unix_ms), when(fingerprint.last_unix_ms));
    let (whole, tenth) = (share_permille / 10, share_permille % 10);
    let (hellos, clients) = (fingerprint.hellos, fingerprint.clients);
    let _ = writeln!(
        text,
        "{hellos} hellos of some {clients} clients, {whole}.{tenth} % of all; seen {first} to {last}"
    );
    if let Some(way_out) = way_out {
        let _ = writeln!(text, "to change it: {way_out}");
    }
    text += &exception(explanation.exception.as_deref());
    explanation.groups.iter().for_each(|group| text += &self::group(group));
    text += &decisions(&explanation.decisions);
    if !explanation.rules.is_empty() {
        let rows = explanation.rules.iter().map(rule);
        text += "\n";
        text += &table(&["rule", "action", "mode", "made by", "ends in", "why"], rows);
    }
    text
}

fn rule(rule: &FittingRule) -> Vec<String> {
    vec![
        rule.pattern.to_string(),
        rule.action.clone(),
        rule.mode.clone(),
        if rule.automatic { "the classifier" } else { "an operator" }.into(),
        rule.expires_in_s.map_or_else(|| "never".into(), span),
        rule.comment.clone(),
    ]
}

fn behaviour(behaviour: &Behaviour) -> String {
    let mut text = exception(behaviour.exception.as_deref());
    behaviour.standings.iter().for_each(|one| text += &standing(one, "does"));
    text + &decisions(&behaviour.decisions)
}

fn exception(why: Option<&str>) -> String {
    why.map(|why| format!("\nnothing is decided about it: {why}\n")).unwrap_or_default()
}

fn group(group: &GroupStanding) -> String {
    let GroupStanding { standing: own, clients, good, requests, failures, watched_ms } = group;
    standing(own, "do")
        + &format!(
            "of late {clients} clients, {requests} requests, {failures} failed logins; {good} good \
             clients of the last weeks; watched for {}\n",
            span(watched_ms / 1000)
        )
}

fn standing(Standing { service, class, findings, score }: &Standing, verb: &str) -> String {
    let class = class.name();
    let mut text = format!("\nat {service}: {class}; what it {verb} scores {score}\n");
    if !findings.is_empty() {
        text += &self::findings(findings);
    }
    text
}

fn decisions(decisions: &[Decision]) -> String {
    let mut text = String::new();
    for decision in decisions {
        let Decision { whom, service, action, line, score, strike, .. } = decision;
        let mode = if decision.shadow { " in shadow" } else { "" };
        let _ = writeln!(
            text,
            "\ndecided about {whom} at {service}: {}{mode}, by the line {line:?}, score {score}, \
             time {strike}; made {}, ends {}; lift it: palisade forgive {whom}",
            action.name(),
            when(decision.at_ms),
            when(decision.ends_ms)
        );
        if let Some(narrowed) = &decision.narrowed {
            let _ = writeln!(text, "not more than that because {narrowed}");
        }
        if !decision.findings.is_empty() {
            text += &findings(&decision.findings);
        }
    }
    text
}

fn findings(findings: &[Finding]) -> String {
    let row = |finding: &Finding| {
        let Finding { name, weight, evidence, since_ms } = finding;
        vec![name.clone(), weight.to_string(), when(*since_ms), evidence.clone()]
    };
    table(&["signal", "weight", "since", "evidence"], findings.iter().map(row)) + "\n"
}
