//! Replies as text for people.

use super::limit::guards;
use super::log::logs;
use crate::control::api::{Done, Event, ListSizes, Quic, Status, VerdictEntry};
use comfy_table::{ContentArrangement, Table, TableComponent, presets};
use std::fmt::Write;
use std::time::Duration;

/// A table of its own width.
pub(super) fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.remove_style(TableComponent::HorizontalLines);
    table.remove_style(TableComponent::MiddleIntersections);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table.add_rows(rows);
    table.to_string()
}

/// A table, or a sentence when it would be empty.
pub(super) fn table_or(
    header: &[&str],
    rows: impl ExactSizeIterator<Item = Vec<String>>,
    empty: &str,
) -> String {
    if rows.len() == 0 { empty.to_owned() } else { table(header, rows) }
}

pub(super) fn status(status: &Status) -> String {
    let mode = format!("{:?}", status.mode).to_lowercase();
    let hint = if mode == "monitor" { " (nothing is dropped)" } else { "" };
    let uptime = span(status.uptime_s);
    let mut text = format!("palisaded {}, up {uptime}, mode {mode}{hint}\n", status.version);
    for interface in &status.interfaces {
        let _ = writeln!(text, "on {} ({})", interface.name, interface.attach);
    }
    text.push_str(&list_sizes(status.lists));
    let _ =
        writeln!(text, "{} client verdicts; {} fingerprints", status.verdicts, status.fingerprints);
    text.push_str(&hellos(status));
    text.push_str(&quic(&status.quic));
    text.push_str(&guards(&status.guards, &status.limits));
    text.push_str(&logs(status));
    let rows = status.counters.iter().map(|counter| {
        let (packets, bytes) = (counter.packets.to_string(), counter.bytes.to_string());
        vec![counter.verdict.clone(), counter.reason.clone(), packets, bytes]
    });
    text + &table_or(&["verdict", "reason", "packets", "bytes"], rows, "no packet yet")
}

fn list_sizes(sizes: ListSizes) -> String {
    let ListSizes { lists, block, allow, entries, kernel_bytes, used_bytes, max_bytes } = sizes;
    format!(
        "{lists} lists with {entries} entries (block {block}, allow {allow}); kernel memory: \
         {} MB in use, {} MB held, {} MB at most\n",
        megabytes(used_bytes),
        megabytes(kernel_bytes),
        megabytes(max_bytes)
    )
}

/// Bytes in units of 2^20, with one digit behind the point.
pub(super) fn megabytes(bytes: u64) -> String {
    const MEGABYTE: u64 = 1 << 20;
    format!("{}.{}", bytes / MEGABYTE, bytes % MEGABYTE * 10 / MEGABYTE)
}

fn hellos(status: &Status) -> String {
    let hellos = &status.hellos;
    let evidence = match status.evidence.as_str() {
        "socket" => "a local socket waits for these very bytes",
        "established" => {
            "an established local socket; this kernel doesn't tell its sequence numbers"
        }
        _ => "nothing: spoofed ones count as well",
    };
    let mut text = format!(
        "ClientHellos: {} fingerprinted, {} unfingerprintable, {} segments of unproven senders, \
         {} lost; proof of the sender: {evidence}\n",
        hellos.fingerprinted, hellos.unfingerprintable, hellos.unproven, hellos.lost
    );
    let causes = status.causes.iter();
    let causes: Vec<_> = causes.map(|entry| format!("{} {}", entry.hellos, entry.cause)).collect();
    if !causes.is_empty() {
        let _ = writeln!(text, "without a fingerprint: {}", causes.join(", "));
    }
    if hellos.unremembered != 0 {
        let _ = writeln!(text, "{} hellos found no room to be remembered", hellos.unremembered);
    }
    text
}

fn quic(quic: &Quic) -> String {
    if quic.ports.is_empty() {
        return String::new();
    }
    let ports: Vec<_> = quic.ports.iter().map(|port| format!("udp/{port}")).collect();
    let rules = if quic.verdicts { "block addresses" } else { "only count" };
    format!(
        "QUIC on {}: {} datagrams copied, {} over budget, {} lost; {} ClientHellos fingerprinted, \
         {} unfingerprintable; rules {rules}\n",
        ports.join(" "),
        quic.copied,
        quic.over_budget,
        quic.lost,
        quic.fingerprinted,
        quic.unfingerprintable
    )
}

pub(super) fn done(done: &Done) -> String {
    let mut text = match done.changed {
        0 if done.notes.is_empty() => "nothing to change\n".to_owned(),
        0 => String::new(),
        1 => "done\n".to_owned(),
        many => format!("done: {many} changed\n"),
    };
    for note in &done.notes {
        let _ = writeln!(text, "{note}");
    }
    text
}

pub(super) fn verdicts(verdicts: &[VerdictEntry]) -> String {
    let rows = verdicts.iter().map(|verdict| {
        let action = format!("{:?}", verdict.action).to_lowercase();
        let left = span(verdict.expires_in_s);
        vec![verdict.client.clone(), action, verdict.mode.clone(), left, verdict.reason.clone()]
    });
    table_or(&["about", "action", "mode", "ends in", "why"], rows, "no verdict is in force")
}

pub(super) fn event(event: &Event) -> String {
    let subject = event.subject.as_deref().unwrap_or("-");
    format!("{}  {:<18} {subject:<24} {}", when(event.unix_ms), event.kind, event.text)
}

/// A span of time.
pub(super) fn span(seconds: u64) -> String {
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}

/// A moment, in UTC.
pub(super) fn when(unix_ms: u64) -> String {
    let moment = std::time::UNIX_EPOCH.checked_add(Duration::from_millis(unix_ms));
    moment.map_or_else(String::new, |moment| humantime::format_rfc3339_seconds(moment).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_reply_is_a_sentence() {
        assert_eq!(verdicts(&[]), "no verdict is in force");
        assert_eq!(done(&Done::default()), "nothing to change\n");
    }

    #[test]
    fn quic_is_a_line_where_it_is_looked_at() {
        let ports = [443, 8443].into_iter().filter_map(std::num::NonZeroU16::new).collect();
        let on = Quic { ports, copied: 3, over_budget: 2, lost: 1, ..Quic::default() };
        let expected = "QUIC on udp/443 udp/8443: 3 datagrams copied, 2 over budget, 1 lost; 0 \
                        ClientHellos fingerprinted, 0 unfingerprintable; rules only count\n";
        assert_eq!(quic(&on), expected);
        assert_eq!(quic(&Quic::default()), "");
    }

    #[test]
    fn the_sizes_of_lists_are_a_line() {
        let sizes = ListSizes {
            lists: 3,
            block: 10,
            allow: 2,
            entries: 13,
            kernel_bytes: 2 << 20,
            used_bytes: (1 << 20) + (1 << 19),
            max_bytes: 256 << 20,
        };
        let expected = "3 lists with 13 entries (block 10, allow 2); kernel memory: 1.5 MB in use, \
                        2.0 MB held, 256.0 MB at most\n";
        assert_eq!(list_sizes(sizes), expected);
        assert_eq!(megabytes(u64::MAX), "17592186044415.9");
    }

    #[test]
    fn an_event_is_one_line() {
        let event =
            Event { unix_ms: 0, kind: "mode".into(), subject: None, text: "rules act".into() };
        assert!(super::event(&event).starts_with("1970-01-01T00:00:00Z  mode"));
    }
}
