//! A client over its rate is limited, and the others aren't.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Stage, Step, rise};
use crate::clock;
use crate::lab::client::Answer;
use crate::lab::flood::{Flood, Outcome};
use crate::lab::visitor::Visitor;
use crate::lab::{ELSEWHERE_V6, OFFICE_V4, Site, elsewhere, host};

pub(super) const STEP: Step = Step {
    name: "rate-limit",
    title: "A client over its rate is limited, and nobody else",
    what: "One client elsewhere sends 20,000 UDP packets a second for three seconds, to a program \
           on the edge that counts them; the limit here is 2,000 a second. Meanwhile the others \
           ask for their pages.",
    promise: "The noisy client loses what is over its limit, and the filter says how much; the \
              others, next to it and in the office, miss nothing.",
    play,
};

fn play(stage: &mut Stage) -> Result<String> {
    let neighbour = Visitor::start(&stage.lab, Site::Elsewhere, &elsewhere(host::NEIGHBOUR))?;
    let office = Visitor::start(&stage.lab, Site::Office, OFFICE_V4)?;
    let before = stage.filter.status()?;
    let start = clock::now();
    let Outcome { sent, arrived } = flood(stage)?;
    let allowed = BURST + PER_SEC * (start.elapsed().as_secs() + 1);
    let dropped = rise(&before, &stage.filter.status()?, "drop", "packet-limit")?;
    ensure!(arrived <= allowed, "{arrived} packets arrived, where {allowed} may");
    ensure!(
        dropped + allowed >= sent && dropped + arrived <= sent,
        "of {sent} packets {arrived} arrived, but {dropped} were counted as dropped"
    );
    for visitor in [&neighbour, &office] {
        let missed = visitor.count(Answer::Silence, start);
        ensure!(missed == 0, "another client missed {missed} pages");
    }
    stage.expect_page(Site::Elsewhere, &elsewhere(host::NOISY))?;
    Ok(format!(
        "of {sent} packets {arrived} arrived and {dropped} were counted as dropped; the \
         neighbour got {} pages, the office {}, none missed; when quiet again, the noisy client \
         gets its page",
        neighbour.count(Answer::Page, start),
        office.count(Answer::Page, start),
    ))
}

/// Floods, and looks at one more client meanwhile.
fn flood(stage: &Stage) -> Result<Outcome> {
    let before = stage.filter.status()?;
    let mut flood = Flood::start(&elsewhere(host::NOISY), FLOOD_PER_SEC, FLOOD_SECONDS)?;
    clock::poll("the limit being reached", FLOOD_BEGINS, || {
        Ok(rise(&before, &stage.filter.status()?, "drop", "packet-limit").ok())
    })?;
    stage.expect_page(Site::Elsewhere, ELSEWHERE_V6)?;
    ensure!(flood.is_running()?, "the flood ended before all had been seen");
    flood.finish()
}

/// As the lab's configuration says.
const PER_SEC: u64 = 2_000;
const BURST: u64 = 4_000;

const FLOOD_PER_SEC: u64 = 20_000;
const FLOOD_SECONDS: u64 = 3;

/// The burst is used up after a quarter of a second.
const FLOOD_BEGINS: Duration = Duration::from_secs(2);
