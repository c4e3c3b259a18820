//! Limit profiles as text for people.

use crate::cli::render::{megabytes, span, table_or, when};
use crate::control::api::{GuardInfo, LimitInfo, LimitLine, TopEntry, Traffic};
use crate::limit::Origin;
use filter_common::abi::limit::THROTTLE_PROFILE;
use std::fmt::Write;

/// A table of the profiles.
pub(super) fn limits(limits: &[LimitInfo]) -> String {
    let header =
        ["name", "unit", "allows", "key", "for", "action", "passed", "refused", "would-refuse"];
    let rows = limits.iter().map(|limit| {
        vec![
            limit.name.clone(),
            limit.unit.to_string(),
            allowance(limit),
            limit.key.to_string(),
            whom(limit),
            limit.action.to_string(),
            limit.passed.packets.to_string(),
            limit.refused.packets.to_string(),
            limit.would_refuse.packets.to_string(),
        ]
    });
    table_or(&header, rows, "there is no limit profile")
}

/// All that is known of each profile.
pub(super) fn details(limits: &[LimitInfo]) -> String {
    limits.iter().map(detail).collect::<Vec<_>>().join("\n")
}

/// All that is known of a profile.
pub(super) fn detail(limit: &LimitInfo) -> String {
    let LimitInfo { name, number, unit, key, action, .. } = limit;
    let (allows, whom) = (allowance(limit), whom(limit));
    let whose = if key.is_service() { "everybody together".into() } else { format!("each {key}") };
    let guard = if limit.guard { "on" } else { "off" };
    let origin = match limit.origin {
        Origin::BuiltIn => "built in",
        Origin::Config => "of the configuration",
        Origin::Operator => "made by an operator",
    };
    let mut text = format!(
        "limit {name}: {unit}, {allows}, for {whose}; applies to {whom}; action {action}\n\
         {origin}, number {number} in the kernel, guard {guard}\n\
         passed {}; refused {}; would have refused {}\n",
        traffic(limit.passed),
        traffic(limit.refused),
        traffic(limit.would_refuse),
    );
    let LimitInfo { preferred, untracked, unlisted, .. } = limit;
    let counts = [
        (preferred, "passed because their client had proved itself"),
        (untracked, "passed uncharged: there was no room for their key"),
        (unlisted, "were refused of keys that no event tells of: there was no room"),
    ];
    for (count, what) in counts.into_iter().filter(|(count, _)| **count > 0) {
        let _ = writeln!(text, "{count} packets {what}");
    }
    if let Some(since) = limit.guard_since_unix_ms {
        let _ = writeln!(text, "over its threshold since {}", when(since));
    }
    text
}

/// The keys that use most.
pub(super) fn top(entries: &[TopEntry]) -> String {
    let header = ["profile", "key", "used", "of", "share", "resets in"];
    let rows = entries.iter().map(|entry| {
        vec![
            entry.profile.clone(),
            entry.key.clone(),
            entry.used.to_string(),
            entry.of.to_string(),
            format!("{} %", entry.percent),
            entry.resets_in_s.map(span).unwrap_or_default(),
        ]
    });
    table_or(&header, rows, "nothing of a limit is in use")
}

/// The guards that are up, and the profiles that refused something, a line each.
pub(in crate::cli) fn guards(guards: &[GuardInfo], limits: &[LimitLine]) -> String {
    let mut text = String::new();
    for guard in guards {
        let (name, since, preferred) = (&guard.name, when(guard.since_unix_ms), guard.preferred);
        let _ = writeln!(
            text,
            "limit {name} is over its threshold since {since}: clients that proved themselves \
             pass first, {preferred} packets so far"
        );
    }
    for limit in limits {
        let (refused, would) = (traffic(limit.refused), traffic(limit.would_refuse));
        let _ = writeln!(text, "limit {}: refused {refused}; would have {would}", limit.name);
    }
    text
}

fn allowance(limit: &LimitInfo) -> String {
    match (&limit.quota, &limit.rate, limit.burst) {
        (Some(quota), ..) => quota.to_string(),
        (_, Some(rate), Some(burst)) => format!("{rate}, burst {burst}"),
        _ => String::new(),
    }
}

/// Whose packets a profile is for.
fn whom(limit: &LimitInfo) -> String {
    let services = limit.services.iter().map(ToString::to_string);
    let lists = limit.lists.iter().map(|name| format!("list {name}"));
    let throttle = (limit.number == THROTTLE_PROFILE).then(|| "throttle verdicts".to_owned());
    let rules = limit.rules.iter().map(|pattern| format!("rule {pattern}"));
    let all: Vec<_> = services.chain(lists).chain(rules).chain(throttle).collect();
    if all.is_empty() { "nothing".into() } else { all.join(", ") }
}

fn traffic(traffic: Traffic) -> String {
    format!("{} packets ({} MB)", traffic.packets, megabytes(traffic.bytes))
}
