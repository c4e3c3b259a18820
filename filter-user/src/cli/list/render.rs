//! Lists as text for people.

use crate::cli::render::{megabytes, table, table_or, when};
use crate::control::api::{ListDetail, ListEntry, ListInfo, Traffic};
use std::fmt::Write;

/// A table of the lists.
pub(super) fn lists(lists: &[ListInfo]) -> String {
    let header =
        ["name", "action", "mode", "priority", "IPv4", "IPv6", "matched", "dropped", "would-drop"];
    let rows = lists.iter().map(|list| {
        vec![
            list.name.clone(),
            list.action.to_string(),
            list.mode.clone(),
            list.priority.to_string(),
            list.v4.to_string(),
            list.v6.to_string(),
            list.matched.packets.to_string(),
            list.dropped.packets.to_string(),
            list.would_drop.packets.to_string(),
        ]
    });
    table_or(&header, rows, "there is no list")
}

/// A list, its traffic, its first entries, and how many more there are.
pub(super) fn detail(detail: &ListDetail) -> String {
    let ListInfo { name, action, mode, priority, v4, v6, matched, dropped, would_drop } =
        &detail.list;
    let mut text = format!(
        "list {name}: {action}, {mode}, priority {priority}; {v4} IPv4 and {v6} IPv6 entries\n\
         matched {}; dropped {}; would have dropped {}\n",
        traffic(*matched),
        traffic(*dropped),
        traffic(*would_drop)
    );
    text.push_str(&entries(detail));
    if let Some(more) = more(detail) {
        let _ = write!(text, "\n{more}");
    }
    text
}

fn entries(detail: &ListDetail) -> String {
    if detail.entries.is_empty() {
        let none = if detail.more == 0 { "the list is empty" } else { "" };
        return none.to_owned();
    }
    table(&["prefix", "mode", "added", "ends", "comment"], detail.entries.iter().map(row))
}

fn row(entry: &ListEntry) -> Vec<String> {
    let ends = entry.expires_unix_s.map(|unix_s| when(unix_s.saturating_mul(1000)));
    vec![
        entry.prefix.clone(),
        entry.mode.clone(),
        when(entry.added_unix_ms),
        ends.unwrap_or_else(|| "never".into()),
        entry.comment.clone(),
    ]
}

/// What to do about entries that aren't shown.
pub(super) fn more(detail: &ListDetail) -> Option<String> {
    let (more, name) = (detail.more, &detail.list.name);
    (more > 0).then(|| format!("{more} more; `palisade list export {name}` has all"))
}

fn traffic(traffic: Traffic) -> String {
    format!("{} packets ({} MB)", traffic.packets, megabytes(traffic.bytes))
}
