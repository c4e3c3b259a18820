//! One command, and nothing is left.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::attach::program_on_interface;
use super::{Stage, Step};
use crate::clock;
use crate::lab::filter::PINS;
use crate::lab::{Site, elsewhere, host};

pub(super) const STEP: Step = Step {
    name: "detach",
    title: "One command removes everything",
    what: "palisade detach.",
    promise: "No program on the interface, nothing pinned, and everybody is served again, the \
              blocked prefix included.",
    play,
};

fn play(stage: &mut Stage) -> Result<String> {
    stage.filter.run(&["detach"])?;
    clock::poll("the program leaving the interface", GONE, || {
        Ok(program_on_interface()?.is_none().then_some(()))
    })?;
    stage.filter.stop()?;
    ensure!(program_on_interface()?.is_none(), "the daemon attached it again when it ended");
    ensure!(pins()? == 0, "{} objects are still pinned in {PINS}", pins()?);
    for host in [host::BLOCKED, host::BOT] {
        stage.expect_page(Site::Elsewhere, &elsewhere(host))?;
    }
    Ok("no program on the interface, no pins; blocked prefix and bot are served again".to_owned())
}

fn pins() -> Result<usize> {
    let pins = Path::new(PINS);
    Ok(if pins.exists() { pins.read_dir()?.count() } else { 0 })
}

const GONE: Duration = Duration::from_secs(5);
