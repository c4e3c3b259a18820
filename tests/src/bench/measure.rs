//! Measuring several cases so that noise hits all of them alike.

use super::Case;
use crate::output;
use anyhow::{Context, Result, ensure};
use filter_user::datapath::test_run::TestProgram;
use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// A frame and the program that it is put through.
pub(super) struct Subject {
    /// The case's name.
    pub(super) name: String,
    /// The name of the case that it is held against.
    pub(super) baseline: String,
    /// The program's index.
    pub(super) program: usize,
    /// What it is given.
    pub(super) frame: Vec<u8>,
    /// The XDP action that shows that the right thing was measured.
    pub(super) action: u32,
}

/// Packets in one turn of one case: some ten milliseconds.
const REPEAT: u32 = 200_000;

/// Measures each subject once a round, so that a noisy moment is spread over all.
///
/// # Errors
///
/// The kernel's, and a program that doesn't do what the case is named after.
pub(super) fn cases(
    programs: &mut [TestProgram],
    subjects: &[Subject],
    rounds: usize,
) -> Result<Vec<Case>> {
    let mut turns = vec![Vec::new(); subjects.len()];
    for round in 1..=rounds.max(1) {
        for (subject, turns) in subjects.iter().zip(&mut turns) {
            turns.push(turn(programs, subject)?);
        }
        output::progress(&format!("round {round} of {rounds}"));
    }
    let medians: Vec<f64> = turns.into_iter().map(median).collect();
    subjects
        .iter()
        .zip(&medians)
        .map(|(subject, ns)| case(subject, *ns, subjects, &medians))
        .collect()
}

fn turn(programs: &mut [TestProgram], subject: &Subject) -> Result<f64> {
    let program = programs.get_mut(subject.program).context("a subject without a program")?;
    let outcome = program.run(&subject.frame, REPEAT)?;
    let Subject { name, action, .. } = subject;
    ensure!(outcome.action == *action, "{name}: action {}, not {action}", outcome.action);
    Ok(outcome.per_frame.as_secs_f64() * 1e9)
}

fn case(subject: &Subject, ns: f64, subjects: &[Subject], medians: &[f64]) -> Result<Case> {
    let baseline = subjects.iter().position(|other| other.name == subject.baseline);
    let baseline_ns = baseline.and_then(|at| medians.get(at)).copied();
    let baseline_ns = baseline_ns.with_context(|| format!("no case {}", subject.baseline))?;
    let (case, baseline) = (subject.name.clone(), subject.baseline.clone());
    let ratio = (ns / baseline_ns.max(1.0) * 100.0).round() / 100.0;
    Ok(Case { case, ns: ns.round(), baseline, baseline_ns: baseline_ns.round(), ratio })
}

/// Takes a case, the one that it is held against, and nanoseconds a packet.
pub(super) type Tell<'a> = dyn FnMut(String, String, f64) + 'a;

/// A case and its turns.
struct Turns {
    name: String,
    baseline: String,
    ns: Vec<f64>,
}

/// Measures in rounds, in which each case has a turn: a noisy moment hits all alike.
///
/// # Errors
///
/// The round's, and a case that is held against one that there isn't.
pub(super) fn turns(
    rounds: usize,
    round: &mut dyn FnMut(&mut Tell) -> Result<()>,
) -> Result<Vec<Case>> {
    let mut all: Vec<Turns> = Vec::new();
    for number in 1..=rounds.max(1) {
        let mut at = 0;
        round(&mut |name, baseline, ns| {
            if number == 1 {
                all.push(Turns { name, baseline, ns: Vec::new() });
            }
            all[at].ns.push(ns);
            at += 1;
        })?;
        output::progress(&format!("round {number} of {rounds}"));
    }
    let medians: Vec<_> = all.into_iter().map(|t| (t.name, t.baseline, median(t.ns))).collect();
    medians.iter().map(|(name, baseline, ns)| held_against(name, baseline, *ns, &medians)).collect()
}

fn held_against(
    name: &str,
    baseline: &str,
    ns: f64,
    all: &[(String, String, f64)],
) -> Result<Case> {
    let found = all.iter().find(|(other, ..)| other == baseline);
    let baseline_ns = found.with_context(|| format!("no case {baseline}"))?.2;
    let ratio = (ns / baseline_ns.max(0.1) * 1000.0).round() / 1000.0;
    let (case, baseline) = (name.to_owned(), baseline.to_owned());
    Ok(Case { case, ns: tenths(ns), baseline, baseline_ns: tenths(baseline_ns), ratio })
}

/// A figure with one digit behind the point.
pub(super) fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// CPU time of this thread, in nanoseconds: what other processes do doesn't count.
pub(super) fn cpu_ns() -> u64 {
    let time =
        clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from);
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn median(mut turns: Vec<f64>) -> f64 {
    turns.sort_by(f64::total_cmp);
    turns.get(turns.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_noisy_turn_does_not_move_the_median() {
        assert!((median(vec![9.0, 10.0, 900.0, 11.0, 8.0]) - 10.0).abs() < 1e-9);
    }
}
