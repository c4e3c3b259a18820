//! Rows of `palisade --json fingerprint pcap` against what is known of the captures.
//!
//! What a row says has to be right; what it leaves out, it doesn't say. Only JA4 has to be
//! there, or a status that tells why not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

/// Captures, or hellos in them, by what was told about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Score {
    pub(super) right: usize,
    pub(super) unfingerprintable: usize,
    pub(super) wrong: usize,
}

impl Score {
    pub(super) fn total(self) -> usize {
        self.right + self.unfingerprintable + self.wrong
    }
}

/// What is known, and what became of it.
pub(super) struct Judge {
    known: BTreeMap<Key, Value>,
}

/// A capture, and the client's port where one capture has several hellos.
type Key = (String, Option<u64>);

/// What may be said of one hello.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Right,
    Unfingerprintable,
    Wrong,
}

impl Judge {
    /// Reads what is known.
    ///
    /// # Errors
    ///
    /// If the file isn't there or isn't a list of labels.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file);
        let text = text.with_context(|| format!("can't read {}", file.display()))?;
        let labels: Vec<Value> = serde_json::from_str(&text)
            .with_context(|| format!("{} is no list of labels", file.display()))?;
        Ok(Self::new(labels))
    }

    fn new(labels: Vec<Value>) -> Self {
        let key = |label: &Value| (text(&label["pcap"]), label["sport"].as_u64());
        Self { known: labels.into_iter().map(|label| (key(&label), label)).collect() }
    }

    /// Counts, and describes what is wrong.
    pub(super) fn score(&self, rows: &[String]) -> (Score, Vec<String>) {
        let mut told: BTreeMap<&Key, Told> = BTreeMap::new();
        let mut problems = Vec::new();
        let mut score = Score::default();
        for row in rows.iter().filter_map(|row| serde_json::from_str::<Value>(row).ok()) {
            let Some((key, label)) = self.find(&row) else {
                problems.push(format!("nothing is known of {row}"));
                score.wrong += 1;
                continue;
            };
            let verdict = verdict(&row, label);
            if verdict == Told::Wrong {
                problems.push(format!("{}: {}, not {}", key.0, row["ja4"], label["ja4"]));
            }
            let before = told.entry(key).or_insert(verdict);
            *before = worse(*before, verdict);
        }
        for (key, label) in &self.known {
            match told.get(key).copied().unwrap_or_else(|| silence(label)) {
                Told::Right => score.right += 1,
                Told::Unfingerprintable => score.unfingerprintable += 1,
                Told::Wrong => score.wrong += 1,
            }
            if !told.contains_key(key) && silence(label) == Told::Wrong {
                problems.push(format!("{}: no row for {}", key.0, label["ja4"]));
            }
        }
        (score, problems)
    }

    fn find(&self, row: &Value) -> Option<(&Key, &Value)> {
        let file = text(&row["file"]);
        let file = file.rsplit('/').next().unwrap_or_default().to_owned();
        let by_port = self.known.get_key_value(&(file.clone(), row["sport"].as_u64()));
        by_port.or_else(|| self.known.get_key_value(&(file, None)))
    }
}

fn verdict(row: &Value, label: &Value) -> Told {
    if row["ja4"].is_null() {
        let explained = !text(&row["status"]).is_empty() && row["status"] != "ok";
        return if explained { Told::Unfingerprintable } else { Told::Wrong };
    }
    let contradicts = |field: &&str| {
        let said = &row[*field];
        !said.is_null() && label.get(*field).is_some_and(|known| known != said)
    };
    let right = row["ja4"] == label["ja4"] && !FIELDS.iter().any(contradicts);
    if right { Told::Right } else { Told::Wrong }
}

/// What it means that there is no row: a capture without a hello has none.
fn silence(label: &Value) -> Told {
    if label["ja4"].is_null() { Told::Right } else { Told::Wrong }
}

/// A capture is as good as the worst that is said of it; and if a hello is told as it was,
/// nothing is lost by another that isn't told.
fn worse(one: Told, other: Told) -> Told {
    match (one, other) {
        (Told::Wrong, _) | (_, Told::Wrong) => Told::Wrong,
        (Told::Right, _) | (_, Told::Right) => Told::Right,
        _ => Told::Unfingerprintable,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What rows and labels both may have.
const FIELDS: [&str; 4] = ["ja3", "ja4_r", "sni", "alpn"];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hellos() -> Judge {
        Judge::new(vec![
            json!({"pcap": "a.pcap", "sport": 1, "ja4": "A", "ja3": "a", "sni": "x"}),
            json!({"pcap": "a.pcap", "sport": 2, "ja4": "B", "ja3": "b", "sni": null}),
        ])
    }

    fn evasion() -> Judge {
        Judge::new(vec![
            json!({"pcap": "good.pcap", "ja4": "A"}),
            json!({"pcap": "none.pcap", "ja4": null}),
        ])
    }

    fn score(judge: &Judge, rows: &[Value]) -> (usize, usize, usize, usize) {
        let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
        let (score, problems) = judge.score(&rows);
        (score.right, score.unfingerprintable, score.wrong, problems.len())
    }

    #[test]
    fn hellos_of_one_capture_are_told_apart_by_their_port() {
        let rows = [
            json!({"file": "/c/a.pcap", "sport": 1, "ja4": "A", "ja3": "a", "sni": "x"}),
            json!({"file": "/c/a.pcap", "sport": 2, "ja4": "B", "ja3": "b", "sni": null}),
        ];
        assert_eq!(score(&hellos(), &rows), (2, 0, 0, 0));
    }

    #[test]
    fn what_a_row_leaves_out_is_not_wrong() {
        let rows = [
            json!({"file": "a.pcap", "sport": 1, "ja4": "A"}),
            json!({"file": "a.pcap", "sport": 2, "ja4": "B", "ja3": null}),
        ];
        assert_eq!(score(&hellos(), &rows), (2, 0, 0, 0));
    }

    #[test]
    fn what_is_not_known_contradicts_nothing() {
        let row = json!({"file": "good.pcap", "ja4": "A", "alpn": "h2"});
        assert_eq!(score(&evasion(), &[row]), (2, 0, 0, 0));
    }

    #[test]
    fn a_contradiction_in_any_field_is_wrong() {
        let rows = [
            json!({"file": "a.pcap", "sport": 1, "ja4": "B", "ja3": "a"}),
            json!({"file": "a.pcap", "sport": 2, "ja4": "B", "ja3": "b", "sni": "y"}),
        ];
        assert_eq!(score(&hellos(), &rows), (0, 0, 2, 2));
    }

    #[test]
    fn a_hello_without_a_row_is_wrong_and_silence_about_nothing_is_right() {
        assert_eq!(score(&hellos(), &[]), (0, 0, 2, 2));
        assert_eq!(score(&evasion(), &[]), (1, 0, 1, 1));
    }

    #[test]
    fn a_hello_may_be_called_unfingerprintable_but_not_left_empty() {
        let given_up = json!({"file": "good.pcap", "ja4": null, "status": "unfingerprintable"});
        assert_eq!(score(&evasion(), &[given_up]), (1, 1, 0, 0));
        let empty = json!({"file": "good.pcap", "ja4": null, "status": "ok"});
        assert_eq!(score(&evasion(), &[empty]), (1, 0, 1, 1));
    }

    #[test]
    fn a_fingerprint_of_what_is_no_hello_is_wrong() {
        let good = json!({"file": "good.pcap", "sport": 9, "ja4": "A"});
        let invented = json!({"file": "none.pcap", "sport": 9, "ja4": "Z", "status": "ok"});
        assert_eq!(score(&evasion(), &[good, invented]), (1, 0, 1, 1));
    }

    #[test]
    fn one_wrong_row_spoils_a_capture() {
        let good = json!({"file": "good.pcap", "ja4": "A"});
        let bad = json!({"file": "good.pcap", "ja4": "Z"});
        let given_up = json!({"file": "good.pcap", "ja4": null, "status": "unfingerprintable"});
        assert_eq!(score(&evasion(), &[good.clone(), bad]), (1, 0, 1, 1));
        assert_eq!(score(&evasion(), &[given_up, good]), (2, 0, 0, 0));
    }

    #[test]
    fn a_row_of_an_unknown_capture_is_wrong() {
        let good = json!({"file": "good.pcap", "ja4": "A"});
        let unknown = json!({"file": "other.pcap", "ja4": "A"});
        assert_eq!(score(&evasion(), &[good, unknown]), (2, 0, 1, 1));
    }
}
