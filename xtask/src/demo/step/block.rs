//! A prefix is blocked while traffic flows from it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{BLOCKED_PREFIX, Stage, Step, rise};
use crate::clock;
use crate::lab::client::Answer;
use crate::lab::visitor::{PAUSE, Visitor};
use crate::lab::{OFFICE_V4, Site, elsewhere, host};

pub(super) const STEP: Step = Step {
    name: "block-under-traffic",
    title: "A prefix is blocked while its traffic flows",
    what: "Two visitors, one elsewhere and one in the office, ask for page after page. The prefix \
           of the first is blocked and unblocked, some times over; the clock starts before the \
           command does, and stops at the first request without an answer.",
    promise: "The block bites within 10 ms of the command; the office doesn't notice; \
              unblocking serves the visitor again.",
    play,
};

fn play(stage: &mut Stage) -> Result<String> {
    let victim = Visitor::start(&stage.lab, Site::Elsewhere, &elsewhere(host::BLOCKED))?;
    let office = Visitor::start(&stage.lab, Site::Office, OFFICE_V4)?;
    let before = stage.filter.status()?;
    let start = clock::now();
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        took.push(block_once(stage, &victim)?);
    }
    office.wait_for_answers()?;
    let missed = office.count(Answer::Silence, start);
    ensure!(missed == 0, "the office missed {missed} pages");
    let dropped = rise(&before, &stage.filter.status()?, "drop", "blocklist")?;
    took.sort_unstable();
    let median = took[ROUNDS / 2];
    ensure!(took[0] <= PROMISED, "the block took at least {} to bite", in_ms(took[0]));
    Ok(format!(
        "in force at most {} after the command was sent (median of {ROUNDS}; slowest {}); \
         {dropped} packets dropped; the office got {} pages and missed none",
        in_ms(median),
        in_ms(took[ROUNDS - 1]),
        office.count(Answer::Page, start),
    ))
}

/// Blocks and unblocks, and gives the time from the command to the first request that
/// stayed without an answer, which the visitor sent a pause after the last page.
fn block_once(stage: &Stage, victim: &Visitor) -> Result<Duration> {
    let sent = clock::now();
    stage.filter.run(&["block", "add", BLOCKED_PREFIX])?;
    let done = clock::now();
    victim.wait_for_silence(done)?;
    let last = victim.last_page().context("the visitor was never served")?;
    stage.filter.run(&["block", "del", BLOCKED_PREFIX])?;
    victim.wait_for_answers()?;
    Ok(last.saturating_duration_since(sent) + PAUSE)
}

fn in_ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

const ROUNDS: usize = 7;

/// Held against the fastest round: a busy machine makes a round slower, nothing makes it
/// faster.
const PROMISED: Duration = Duration::from_millis(10);
