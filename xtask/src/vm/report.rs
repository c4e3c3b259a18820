//! What people see of the outcomes.

use std::path::Path;

use super::judge::Score;
use super::outcome::Outcome;
use crate::term;

/// One line when a kernel is done.
pub(super) fn progress(outcome: &Outcome) {
    let held = if outcome.holds() { "ok" } else { FAILED };
    term::status(&format!("kernel {}: {held} after {:.1} s", outcome.kernel, outcome.seconds));
}

/// The table, what refused kernels were told, and what is wrong.
pub(super) fn print(outcomes: &[Outcome], logs: &Path) {
    let rows: Vec<Vec<String>> = outcomes.iter().map(cells).collect();
    term::table(&HEAD, &rows);
    term::line("\nevasion: told as they are / called unfingerprintable / told wrong");
    for outcome in outcomes {
        if let Some(refusal) = &outcome.refusal {
            term::line("");
            term::paragraph(&format!("{} is told: ", outcome.kernel), refusal);
        }
        if !outcome.holds() {
            term::line(&format!("\nwrong with {}:", outcome.kernel));
            outcome.problems.iter().for_each(|problem| term::quote(problem));
            let log = logs.join(&outcome.kernel);
            term::line(&format!("more in {}.console and .transcript", log.display()));
        }
    }
}

fn cells(outcome: &Outcome) -> Vec<String> {
    let Outcome { hellos, evasion, visited_instructions, .. } = outcome;
    vec![
        outcome.kernel.clone(),
        outcome.program.name().to_owned(),
        told(*hellos, format!("{}/{}", hellos.right, hellos.total())),
        told(
            *evasion,
            format!("{}/{}/{}", evasion.right, evasion.unfingerprintable, evasion.wrong),
        ),
        outcome.daemon.name().to_owned(),
        visited_instructions.map_or(NONE.to_owned(), |count| count.to_string()),
        format!("{:.1}", outcome.seconds),
        if outcome.holds() { "ok" } else { FAILED }.to_owned(),
    ]
}

fn told(score: Score, counted: String) -> String {
    if score.total() == 0 { NONE.to_owned() } else { counted }
}

const HEAD: [&str; 8] =
    ["kernel", "program", "hellos", "evasion", "daemon", "visited", "seconds", "result"];

const FAILED: &str = "FAILED";
const NONE: &str = "-";
