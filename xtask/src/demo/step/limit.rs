//! A client over its rate is limited, and the others aren't.

use anyhow::{Result, ensure};

use super::{Stage, Step, rise};
use crate::clock;
use crate::lab::client::Answer;
use crate::lab::flood::Flood;
use crate::lab::visitor::Visitor;
use crate::lab::{ELSEWHERE_V6, OFFICE_V4, Site, elsewhere, host};

pub(super) const STEP: Step = Step {
    name: "rate-limit",
    title: "A client over its rate is limited, and nobody else",
    what: "One client elsewhere sends 50,000 packets a second for three seconds; the limit here is \
           2,000 a second. Meanwhile it asks for a page itself, and so do the others.",
    promise: "The noisy client loses what is over its limit, its own page too; the others, \
              next to it and in the office, miss nothing.",
    play,
};

fn play(stage: &mut Stage) -> Result<String> {
    let neighbour = Visitor::start(&stage.lab, Site::Elsewhere, &elsewhere(host::NEIGHBOUR))?;
    let office = Visitor::start(&stage.lab, Site::Office, OFFICE_V4)?;
    let before = stage.filter.status()?;
    let start = clock::now();
    let sent = flood(stage)?;
    let dropped = rise(&before, &stage.filter.status()?, "drop", "packet-limit")?;
    let allowed = BURST + PER_SEC * (start.elapsed().as_secs() + 1);
    ensure!(
        dropped + allowed >= sent,
        "of {sent} packets only {dropped} were dropped, where at most {allowed} may pass"
    );
    for visitor in [&neighbour, &office] {
        let missed = visitor.count(Answer::Silence, start);
        ensure!(missed == 0, "another client missed {missed} pages");
    }
    stage.expect_page(Site::Elsewhere, &elsewhere(host::NOISY))?;
    Ok(format!(
        "{dropped} of {sent} packets dropped, the noisy client's page lost; the neighbour got {} \
         pages, the office {}, none missed; when quiet again, the noisy client is served",
        neighbour.count(Answer::Page, start),
        office.count(Answer::Page, start),
    ))
}

/// Floods, looks at the others meanwhile, and gives the number of packets sent.
fn flood(stage: &Stage) -> Result<u64> {
    let before = stage.filter.status()?;
    let mut flood = Flood::start(&elsewhere(host::NOISY), FLOOD_PER_SEC, FLOOD_SECONDS)?;
    clock::poll("the limit being reached", FLOOD_BEGINS, || {
        Ok(rise(&before, &stage.filter.status()?, "drop", "packet-limit").ok())
    })?;
    stage.expect_page(Site::Elsewhere, ELSEWHERE_V6)?;
    stage.expect_silence(Site::Elsewhere, &elsewhere(host::NOISY))?;
    ensure!(
        flood.is_running()?,
        "the flood ended before all had been seen"
    );
    flood.finish()
}

/// As the lab's configuration says.
const PER_SEC: u64 = 2_000;
const BURST: u64 = 4_000;

const FLOOD_PER_SEC: u64 = 50_000;
const FLOOD_SECONDS: u64 = 3;
const FLOOD_BEGINS: std::time::Duration = std::time::Duration::from_secs(2);
