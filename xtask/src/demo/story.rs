//! Tells the story step by step, and sums it up.

use anyhow::Result;

use super::report::{Outcome, Report, ReportFile};
use super::step::{STORY, Stage, Step};
use crate::clock::{self, Moment};
use crate::lab::filter::Filter;
use crate::term;

/// Says what is about to be seen.
pub(super) fn introduce() {
    term::line("");
    term::paragraph(
        "",
        "This is Palisade at work. The lab below exists only for this demo, in namespaces of \
         its own: none of it touches this host's network, and all of it vanishes at the end.",
    );
    term::line(PICTURE);
}

/// Plays every step until one fails; what comes after it would stand on sand.
///
/// # Errors
///
/// If the outcome can't be written.
pub(super) fn play(stage: &mut Stage, report: &mut Report, file: &mut ReportFile) -> Result<()> {
    for (index, step) in STORY.iter().enumerate() {
        let failed = report.steps.last().is_some_and(|outcome| !outcome.ok);
        let outcome = if failed { not_played(step) } else { play_one(stage, index + 1, step) };
        report.steps.push(outcome);
        file.write(report)?;
    }
    report.ok = report.steps.iter().all(|outcome| outcome.ok);
    Ok(())
}

/// Prints what was promised beside what was seen.
pub(super) fn summary(report: &Report, start: Moment) {
    let row = |(step, outcome): (&Step, &Outcome)| {
        let ok = if outcome.ok { "yes" } else { "NO" };
        vec![step.promise.to_owned(), outcome.detail.clone(), ok.to_owned()]
    };
    let rows: Vec<_> = STORY.iter().zip(&report.steps).map(row).collect();
    term::line("");
    term::wrapped_table(&["promised", "seen", "ok"], &[34, 38, 3], &rows);
    let held = report.steps.iter().filter(|outcome| outcome.ok).count();
    let all = report.steps.len();
    term::line(&format!("\n{held} of {all} promises held, in {}", clock::since(start)));
}

fn play_one(stage: &mut Stage, number: usize, step: &Step) -> Outcome {
    let start = clock::now();
    term::line(&format!("\n{number}. {}", step.title));
    term::paragraph("   ", step.what);
    term::paragraph("   promised: ", step.promise);
    let seen = (step.play)(stage);
    let (ok, detail) = match seen {
        Ok(detail) => (true, detail),
        Err(error) => (false, format!("{error:#}")),
    };
    term::paragraph("   seen:     ", &detail);
    term::line(&format!("   {} ({})", if ok { "ok" } else { "FAILED" }, clock::since(start)));
    if !ok {
        show_evidence(stage);
    }
    Outcome { name: step.name, ok, detail }
}

fn not_played(step: &Step) -> Outcome {
    let detail = "not played: an earlier step failed".to_owned();
    Outcome { name: step.name, ok: false, detail }
}

/// What somebody who looks for the fault would ask for first.
fn show_evidence(stage: &Stage) {
    for question in [&["status"][..], &["verdict", "list"], &["block", "list"]] {
        term::line(&format!("   palisade {}", question.join(" ")));
        term::quote(&answer(&stage.filter, question));
    }
    term::line("   the end of the daemon's log");
    term::quote(&stage.filter.log());
    term::line("   the end of the server's log");
    term::quote(&stage.lab.server_log());
}

fn answer(filter: &Filter, question: &[&str]) -> String {
    filter.run(question).unwrap_or_else(|error| format!("{error:#}"))
}

const PICTURE: &str = r"
   office      198.51.100.0/24 ----+
               2001:db8:2::/64     |
                                  net ---- eth0 [ Palisade ] edge: nginx, TLS
   elsewhere   203.0.113.0/24  ----+             192.0.2.10, 2001:db8:1::10
               2001:db8:3::/64";
