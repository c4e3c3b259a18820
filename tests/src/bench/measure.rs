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
    let all = subjects.iter().zip(turns);
    let all = all.map(|(Subject { name, baseline, .. }, ns)| {
        Turns { name: name.clone(), baseline: baseline.clone(), ns }.case()
    });
    held_against(all.collect())
}

fn turn(programs: &mut [TestProgram], subject: &Subject) -> Result<f64> {
    let program = programs.get_mut(subject.program).context("a subject without a program")?;
    let outcome = program.run(&subject.frame, REPEAT)?;
    let Subject { name, action, .. } = subject;
    ensure!(outcome.action == *action, "{name}: action {}, not {action}", outcome.action);
    Ok(outcome.per_frame.as_secs_f64() * 1e9)
}

/// Takes a case, the one that it is held against, and nanoseconds a packet.
pub(super) type Tell<'a> = dyn FnMut(String, String, f64) + 'a;

/// A case and its turns.
struct Turns {
    name: String,
    baseline: String,
    ns: Vec<f64>,
}

impl Turns {
    /// The case, held against nothing yet.
    fn case(self) -> Case {
        let least_ns = tenths(self.ns.iter().copied().fold(f64::INFINITY, f64::min));
        let (case, baseline, ns) = (self.name, self.baseline, tenths(median(self.ns)));
        Case { case, ns, least_ns, baseline, baseline_ns: 0.0, ratio: 0.0 }
    }
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
    held_against(all.into_iter().map(Turns::case).collect())
}

/// Cases with what they are held against.
fn held_against(mut all: Vec<Case>) -> Result<Vec<Case>> {
    let medians: Vec<_> = all.iter().map(|case| (case.case.clone(), case.ns)).collect();
    for case in &mut all {
        let found = medians.iter().find(|(name, _)| *name == case.baseline);
        case.baseline_ns = found.with_context(|| format!("no case {}", case.baseline))?.1;
        case.ratio = (case.ns / case.baseline_ns.max(0.1) * 1000.0).round() / 1000.0;
    }
    Ok(all)
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
