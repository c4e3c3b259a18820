//! The daemon returns and knows all that it knew.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::attach::program_on_interface;
use super::{BLOCKED_PREFIX, Stage, Step};
use crate::lab::{OFFICE_V4, Site, elsewhere, host};

pub(super) const STEP: Step = Step {
    name: "daemon-returns",
    title: "The daemon starts again and knows all",
    what: "The daemon is started as before, with the same configuration, which names no list.",
    promise: "It takes over program, mode, lists and verdicts, and the counters go on: what was \
              dropped while it was dead is there, too.",
    play,
};

fn play(stage: &mut Stage) -> Result<String> {
    stage.filter.restart()?;
    let status = stage.filter.status()?;
    ensure!(status.mode == "enforce", "it came back in mode {}", status.mode);
    program_on_interface()?.context("no program on the interface")?;
    for (question, entry) in remembered() {
        let listed: Value = stage.filter.ask(&question)?;
        let text = listed.to_string();
        ensure!(text.contains(&entry), "palisade {} lacks {entry}: {text}", question.join(" "));
    }
    let dropped = status.packets_for("drop", "blocklist");
    let before = stage.dropped_before_death;
    ensure!(dropped > before, "the blocklist's counter doesn't go on: {before}, now {dropped}");
    stage.expect_silence(Site::Elsewhere, &elsewhere(host::BLOCKED))?;
    stage.expect_silence(Site::Elsewhere, &elsewhere(host::BOT))?;
    stage.expect_page(Site::Office, OFFICE_V4)?;
    Ok(format!(
        "mode enforce, blocked prefix, allowed office and the verdict on the bot are all there, \
         and in force; {} packets were dropped by the blocklist while no daemon ran",
        dropped - before
    ))
}

/// A question, and what the answer has to name.
fn remembered() -> [([&'static str; 2], String); 3] {
    [
        (["block", "list"], BLOCKED_PREFIX.to_owned()),
        (["allow", "list"], "198.51.100.0/24".to_owned()),
        (["verdict", "list"], format!("{}/32", elsewhere(host::BOT))),
    ]
}
