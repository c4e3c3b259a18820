//! What came of it, for people and for programs.

use anyhow::Result;
use serde_json::json;

use super::actor::Effect;
use super::judge::Row;
use super::told::{Decision, Finding};
use crate::term;

/// Prints it as one JSON object, or as a table with what each decision rests on below it.
pub(super) fn print(rows: &[Row], json: bool) -> Result<()> {
    let ok = rows.iter().all(Row::holds);
    if json {
        term::line(&serde_json::to_string(&json!({ "ok": ok, "rows": rows }))?);
        return Ok(());
    }
    let head = ["actor", "class", "expected", "decision", "after", "as expected"];
    term::table(&head, &rows.iter().map(cells).collect::<Vec<_>>());
    rows.iter().for_each(details);
    let bad = rows.iter().filter(|row| !row.holds()).count();
    term::line(&match bad {
        0 => "\nEach was treated as expected.".to_owned(),
        _ => format!("\nWRONG: {bad} of {} weren't treated as expected.", rows.len()),
    });
    Ok(())
}

fn cells(row: &Row) -> Vec<String> {
    let classes: Vec<&str> = row.classes.iter().map(String::as_str).collect();
    let after = row.decided_after_ms.map_or("-".to_owned(), time);
    vec![
        row.actor.to_owned(),
        classes.join(", "),
        expected(row),
        row.effect.name().to_owned(),
        after,
        if row.holds() { "yes" } else { "NO" }.to_owned(),
    ]
}

/// `limit or block of an impersonator or unknown`, for instance.
fn expected(row: &Row) -> String {
    let (least, most) = (row.expected.least, row.expected.most);
    let effect = if least == most {
        least.name().to_owned()
    } else {
        format!("{} to {}", least.name(), most.name())
    };
    match row.expected.classes {
        [] => effect,
        classes => format!("{}, {effect}", classes.join(" or ")),
    }
}

fn details(row: &Row) {
    let Row { actor, does, requests, .. } = row;
    term::line(&format!("\n{actor} ({does}): {requests} requests were answered"));
    let fingerprints: Vec<&str> = row.fingerprints.iter().map(String::as_str).collect();
    term::paragraph("  ", &format!("hello {}", fingerprints.join(", ")));
    row.signals.iter().for_each(finding);
    for (decision, others) in in_kinds(&row.decisions) {
        let others = if others > 0 { format!(" and {others} more") } else { String::new() };
        let Decision { line, score, class, .. } = decision;
        let (whom, action) = (whom(decision), decision.action.name());
        term::paragraph("  ", &format!("{action} {whom}{others}: {line}, score {score}, {class}"));
        decision.findings.iter().for_each(finding);
        if let Some(why) = &decision.narrowed {
            term::paragraph("    ", &format!("no more than that, because {why}"));
        }
    }
    if row.effect < Effect::Limit {
        term::line(&format!("  score now: {}", row.standing.score));
        row.standing.findings.iter().for_each(finding);
    }
    if !row.holds() {
        row.problems.iter().for_each(|problem| term::line(&format!("  WRONG: {problem}")));
        term::line("  it ended with:");
        term::quote(&row.said);
    }
}

/// Decisions that follow from one line about addresses, or about fingerprints, only once: with
/// how many others are like it.
fn in_kinds(decisions: &[Decision]) -> Vec<(&Decision, usize)> {
    let mut kinds: Vec<(&Decision, usize)> = Vec::new();
    for one in decisions {
        let is_like = |other: &Decision| {
            kind(other) == kind(one) && (other.action, &other.line) == (one.action, &one.line)
        };
        match kinds.iter_mut().find(|(other, _)| is_like(other)) {
            Some((_, others)) => *others += 1,
            None => kinds.push((one, 0)),
        }
    }
    kinds
}

fn finding(finding: &Finding) {
    let Finding { name, weight, evidence } = finding;
    term::paragraph("    ", &format!("{name} {weight}: {evidence}"));
}

/// `network` or `fingerprint`.
fn kind(decision: &Decision) -> Option<&String> {
    decision.whom.as_object()?.keys().next()
}

fn whom(decision: &Decision) -> &str {
    let whom = decision.whom.as_object().and_then(|whom| whom.values().next());
    whom.and_then(serde_json::Value::as_str).unwrap_or("somebody")
}

fn time(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms % 1000 / 100) }
}
