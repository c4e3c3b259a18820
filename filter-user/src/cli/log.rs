//! Access logs for people.

use super::render::{span, table};
use crate::control::api::{JoinedInfo, LogInfo, Status};
use std::fmt::Write;

/// The logs of a status; nothing if there are none.
pub(super) fn logs(status: &Status) -> String {
    if status.logs.is_empty() {
        return String::new();
    }
    let header =
        ["access log", "state", "lines", "malformed", "matched", "unmatched", "lost", "lag"];
    let mut text = table(&header, status.logs.iter().map(row)) + "\n";
    for log in &status.logs {
        remarks(&mut text, log);
    }
    text + &joined(status.joined)
}

fn row(log: &LogInfo) -> Vec<String> {
    let lag = if log.last_unix_ms.is_some() { lag(log.lag_ms) } else { "-".into() };
    let counts = [log.lines, log.malformed, log.matched, log.unmatched, log.lost];
    let mut row = vec![log.name.clone(), log.state.clone()];
    row.extend(counts.iter().map(u64::to_string));
    row.push(lag);
    row
}

fn lag(milliseconds: u64) -> String {
    if milliseconds < 10_000 { format!("{milliseconds}ms") } else { span(milliseconds / 1000) }
}

/// What an operator has to know of a log, and do.
fn remarks(text: &mut String, log: &LogInfo) {
    let name = &log.name;
    if let Some(error) = &log.error {
        let _ = writeln!(text, "{name}: {error}; it is tried again");
    }
    if let Some(error) = &log.last_malformed {
        let _ = writeln!(text, "{name}: the last malformed line: {error}");
    }
    if log.state == "stopped" {
        let _ = writeln!(
            text,
            "{name}: hellos come, and no lines any more; does the server still write to {}?",
            log.path
        );
    }
}

fn joined(joined: JoinedInfo) -> String {
    let JoinedInfo { connections, forgotten, ambiguous } = joined;
    let mut text = format!("hellos of {connections} connections are remembered for them");
    for (count, what) in [
        (forgotten, "were forgotten for newer ones"),
        (ambiguous, "requests without a port may belong to hellos of several kinds"),
    ] {
        if count != 0 {
            let _ = write!(text, "; {count} {what}");
        }
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_log_is_said() {
        let log = LogInfo {
            name: "shop".into(),
            source: "file".into(),
            path: "/var/log/nginx/shop.log".into(),
            format: "combined".into(),
            ports: Vec::new(),
            state: "stopped".into(),
            error: None,
            lines: 7,
            malformed: 1,
            last_malformed: Some("the time is missing".into()),
            matched: 5,
            unmatched: 1,
            lost: 0,
            lag_ms: 61_000,
            last_unix_ms: Some(1),
        };
        assert_eq!(row(&log), ["shop", "stopped", "7", "1", "5", "1", "0", "1m 1s"]);
        let mut text = String::new();
        remarks(&mut text, &log);
        assert!(text.contains("the time is missing") && text.contains("/var/log/nginx/shop.log"));
        let bare = joined(JoinedInfo { connections: 2, ..JoinedInfo::default() });
        assert_eq!(bare, "hellos of 2 connections are remembered for them\n");
        let full = joined(JoinedInfo { forgotten: 3, ..JoinedInfo::default() });
        assert!(full.contains("; 3 were forgotten for newer ones"));
    }
}
