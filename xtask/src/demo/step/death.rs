//! The daemon dies, and the filter doesn't.

use anyhow::{Context, Result, ensure};

use super::attach::program_on_interface;
use super::{BLOCKED_PREFIX, Stage, Step};
use crate::lab::client::{self, Answer, Manner};
use crate::lab::{OFFICE_V4, Site, elsewhere, host};

pub(super) const STEP: Step = Step {
    name: "daemon-killed",
    title: "The daemon is killed, and the filter goes on",
    what: "A prefix is blocked once more. Then the daemon is killed with -9: no chance to save \
           or to tidy anything.",
    promise: "What was blocked stays blocked, who was allowed passes, everybody else too.",
    play,
};

fn play(stage: &mut Stage) -> Result<String> {
    stage.filter.run(&["block", "add", BLOCKED_PREFIX, "--comment", "the demo"])?;
    let program = program_on_interface()?;
    stage.dropped_before_death = stage.filter.status()?.packets_for("drop", "blocklist");
    stage.filter.kill()?;
    let code = stage.filter.command(&["status"]).output()?.status.code();
    ensure!(code == Some(NO_DAEMON), "palisade status ended with {code:?} and not {NO_DAEMON}");
    let still = program_on_interface()?.context("the program is gone from the interface")?;
    ensure!(Some(still) == program, "another program is on the interface now");
    stage.expect_silence(Site::Elsewhere, &elsewhere(host::BLOCKED))?;
    stage.expect_silence(Site::Elsewhere, &elsewhere(host::BOT))?;
    stage.expect_page(Site::Elsewhere, &elsewhere(host::NEIGHBOUR))?;
    let answer = client::curl(&stage.lab, Site::Office, OFFICE_V4, Manner::Stock)?;
    ensure!(answer == Answer::Page, "the office was not served");
    Ok(format!(
        "palisade says that no daemon runs; program {still} still on the interface; blocked \
         prefix and bot: silence; neighbour and office: served"
    ))
}

/// The command line's exit code when nobody listens on the socket.
const NO_DAEMON: i32 = 3;
