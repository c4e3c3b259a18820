//! What came of it, for people and for programs.

use anyhow::Result;
use serde::Serialize;

use super::judge::{Row, Verdict, tried};
use super::plan::{Plan, Skipped};
use crate::term;

/// The whole outcome.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    /// Whether nothing is wrong.
    ok: bool,
    /// Who the filter was held against.
    oracle: String,
    /// Whether that is somebody who shares no code with the filter.
    independent: bool,
    /// Clients that said hello at every MTU.
    kinds: usize,
    rows: &'a [Row],
    skipped: &'a [Skipped],
    problems: Vec<String>,
}

impl<'a> Report<'a> {
    pub(super) fn new(plan: &'a Plan, rows: &'a [Row], problems: Vec<String>) -> Self {
        Self {
            ok: problems.is_empty(),
            oracle: plan.oracle.name(),
            independent: plan.oracle.is_independent(),
            kinds: tried(rows).len(),
            rows,
            skipped: &plan.skipped,
            problems,
        }
    }

    /// Prints it as one JSON object, or as a table with what has to be known beside it.
    pub(super) fn print(&self, json: bool) -> Result<()> {
        if json {
            term::line(&serde_json::to_string(self)?);
        } else {
            self.table();
            self.remarks();
            self.wrong();
        }
        Ok(())
    }

    fn table(&self) {
        let oracle = if self.independent { "tshark's" } else { "host engine's" };
        let head = [
            "client",
            "version",
            "MTU",
            "page",
            "hellos",
            "segments",
            "filter's JA4",
            oracle,
            "JA3",
            "verdict",
        ];
        let rows: Vec<Vec<String>> = self.rows.iter().map(cells).collect();
        term::table(&head, &rows);
    }

    fn remarks(&self) {
        term::line("");
        let hellos: usize = self.rows.iter().map(|row| row.hellos).sum();
        let Self { kinds, oracle, .. } = self;
        term::line(&format!("Kinds of client: {kinds}; hellos: {hellos}; against {oracle}."));
        if !self.independent {
            term::paragraph("", KIN);
        }
        let grease_removed: usize = self.rows.iter().map(|row| row.grease_removed).sum();
        if grease_removed > 0 {
            term::paragraph("", &format!("{grease_removed} hellos have GREASE {GREASE_REMOVED}"));
        }
        let unproven: usize = self.rows.iter().map(|row| row.unproven).sum();
        if unproven > 0 {
            let remark = "hellos were not taken as evidence: no socket waited for them.";
            term::paragraph("", &format!("{unproven} {remark}"));
        }
        for Skipped { client, reason } in self.skipped {
            term::line(&format!("skipped: {client}: {reason}"));
        }
    }

    fn wrong(&self) {
        for problem in &self.problems {
            term::line(&format!("WRONG: {problem}"));
        }
        let bad = self.rows.iter().filter(|row| !row.holds());
        for row in bad {
            term::line(&format!(
                "\n{} at MTU {}, filter and {}:",
                row.client, row.mtu, self.oracle
            ));
            term::quote(&both("JA4", &row.ja4, &row.oracle_ja4));
            term::quote(&both("JA3", &row.ja3, &row.oracle_ja3));
            term::line("  it ended with:");
            term::quote(&row.said);
        }
        if self.ok {
            term::line("The filter says the same of all of them.");
        }
    }
}

fn cells(row: &Row) -> Vec<String> {
    let same = row.ja4 == row.oracle_ja4 && row.hellos > 0;
    let ja3 = match (row.ja3.is_empty(), row.ja3_agrees()) {
        (true, _) => NONE,
        (false, true) => "same",
        (false, false) => "differs",
    };
    vec![
        row.client.to_owned(),
        row.version.clone(),
        row.mtu.to_string(),
        if row.page { "yes" } else { "NO" }.to_owned(),
        row.hellos.to_string(),
        row.segments.to_string(),
        distinct(&row.ja4),
        if same { "same".to_owned() } else { distinct(&row.oracle_ja4) },
        ja3.to_owned(),
        name(row.verdict).to_owned(),
    ]
}

/// The first of sorted fingerprints, and how many others there are.
fn distinct(fingerprints: &[String]) -> String {
    let mut distinct = fingerprints.to_vec();
    distinct.dedup();
    match &distinct[..] {
        [] => NONE.to_owned(),
        [one] => one.clone(),
        [first, others @ ..] => format!("{first} +{}", others.len()),
    }
}

fn both(name: &str, filter: &[String], oracle: &[String]) -> String {
    let text = |all: &[String]| if all.is_empty() { NONE.to_owned() } else { all.join(" ") };
    format!("{name} {} / {}", text(filter), text(oracle))
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Differs => "DIFFERS",
        Verdict::Missing => "MISSING",
        Verdict::NoHello => "NO HELLO",
    }
}

const NONE: &str = "-";

const KIN: &str = "There is no tshark here that knows JA4. What the filter says is held against \
    palisade's own implementation for the host, which reads a capture: that is no independent \
    word.";

const GREASE_REMOVED: &str = "among their signature algorithms, which JA4 leaves out and tshark keeps: \
    the oracle's is the hash of tshark's raw form without it.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_fingerprints_are_counted() {
        let of =
            |texts: &[&str]| distinct(&texts.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(of(&[]), "-");
        assert_eq!(of(&["a", "a"]), "a");
        assert_eq!(of(&["a", "b", "b", "c"]), "a +2");
    }
}
