//! What a replay says, for people.

use super::report::{ReplayedClient, Report, Summary};
use crate::access_log::Format;
use crate::classify::decision::Decision;
use crate::cli::render::{span, table, when};
use crate::control::api::SignalEntry;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Clients that are shown; --json has them all.
const SHOWN: usize = 50;

/// A decision, and what it rests on.
pub(super) fn decision(decision: &Decision) -> String {
    let Decision { whom, service, action, class, line, score, at_ms, ends_ms, .. } = decision;
    let mode = if decision.shadow { " (in shadow)" } else { "" };
    let lasts = span(ends_ms.saturating_sub(*at_ms) / 1000);
    let lasts = if ends_ms > at_ms { format!(" for {lasts}") } else { String::new() };
    let (when, action, class) = (when(*at_ms), action.name(), class.name());
    let mut text = format!(
        "{when}  {whom}: {action}{lasts}{mode} at {service}, {class}, line {line:?}, score {score}\n"
    );
    if let Some(ja4) = decision.ja4.as_ref().filter(|ja4| **ja4 != whom.to_string()) {
        let _ = writeln!(text, "    with {ja4}");
    }
    if let Some(why) = &decision.narrowed {
        let _ = writeln!(text, "    not more than that because {why}");
    }
    for finding in &decision.findings {
        let _ = writeln!(text, "    {} {}: {}", finding.weight, finding.name, finding.evidence);
    }
    text
}

/// All that is said at the end. `found_format`: the log's format was found out;
/// `takes_unproven`: hellos count that aren't proven.
pub(super) fn report(report: &Report, found_format: bool, takes_unproven: bool) -> String {
    let summary = &report.summary;
    let text = clients(&report.clients) + "\n" + &captures(summary, takes_unproven);
    let text = text + &log(summary, found_format) + &counted("clients", &summary.classes);
    let text = text + &counted("decisions", &summary.decisions);
    match summary.shadow {
        0 => text,
        shadow => {
            text + &format!(
                "{shadow} of the decisions are in shadow; `enforce = true` for a service in a policy \
                 has them act\n"
            )
        }
    }
}

fn clients(clients: &[ReplayedClient]) -> String {
    if clients.is_empty() {
        return String::new();
    }
    let row = |client: &ReplayedClient| {
        let said = client.signals.iter().map(signal).collect::<Vec<_>>().join(", ");
        vec![client.client.to_string(), client.class.name().into(), client.score.to_string(), said]
    };
    let rows = clients.iter().take(SHOWN).map(row);
    let text = "\n".to_owned() + &table(&["client", "class", "score", "signals"], rows) + "\n";
    match clients.len().saturating_sub(SHOWN) {
        0 => text,
        more => text + &format!("and {more} more; --json has them all\n"),
    }
}

fn signal(SignalEntry { name, weight, evidence }: &SignalEntry) -> String {
    format!("{name} {weight} ({evidence})")
}

fn captures(summary: &Summary, takes_unproven: bool) -> String {
    let Summary { packets, hellos, unfingerprintable, unproven, .. } = summary;
    if *packets == 0 {
        return String::new();
    }
    let mut text = format!("{hellos} hellos in {packets} packets");
    if *unfingerprintable > 0 {
        let _ = write!(text, ", {unfingerprintable} of them unfingerprintable");
    }
    text += "\n";
    if *unproven > 0 {
        let fate = if takes_unproven { "were taken at their word" } else { "were left out" };
        let hint = if takes_unproven { "" } else { "; --unproven takes them at their word" };
        let _ = writeln!(
            text,
            "{unproven} of them {fate}, as the capture doesn't show that their senders got the \
             server's answer: they may be forged{hint}"
        );
    }
    text
}

fn log(summary: &Summary, found_format: bool) -> String {
    let Summary { lines, malformed, requests, joined, late, hellos, .. } = summary;
    let Some(format) = summary.log_format else {
        return String::new();
    };
    let how = if found_format { ", as was found out" } else { "" };
    let mut text = format!(
        "{requests} requests in {lines} lines ({}{how}), {joined} of them with their hello\n",
        Format::name(format)
    );
    if let Some(first) = &summary.first_malformed {
        let _ = writeln!(text, "{malformed} malformed lines, the first one: {first}");
    }
    if *late > 0 {
        let _ = writeln!(
            text,
            "{late} requests are more than a minute older than what came before them, and count \
             as if they were not: is the log in order?"
        );
    }
    if *joined == 0 && *hellos > 0 {
        let ports: Vec<_> = summary.hello_ports.keys().take(5).map(u16::to_string).collect();
        let _ = writeln!(
            text,
            "the hellos are for port {}; --port says which of them the log is about",
            ports.join(", ")
        );
    }
    text
}

fn counted(what: &str, counts: &BTreeMap<&str, u64>) -> String {
    let counts: Vec<_> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    if counts.is_empty() { String::new() } else { format!("{what}: {}\n", counts.join(", ")) }
}
