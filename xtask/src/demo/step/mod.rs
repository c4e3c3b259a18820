//! The steps of the story, one file each: what is done, promised, and how it is checked.

use anyhow::{Result, ensure};

use crate::lab::client::{self, Answer, Manner};
use crate::lab::filter::{Filter, Status};
use crate::lab::{Lab, Site};

mod attach;
mod block;
mod bot;
mod death;
mod detach;
mod limit;
mod monitor;
mod rebirth;

/// What the steps play on.
pub(super) struct Stage {
    pub(super) lab: Lab,
    pub(super) filter: Filter,
    /// Packets that the blocklist had dropped when the daemon was killed.
    pub(super) dropped_before_death: u64,
}

/// One step of the story.
pub(super) struct Step {
    /// Name for programs.
    pub(super) name: &'static str,
    /// Title for people.
    pub(super) title: &'static str,
    /// What is about to be done.
    pub(super) what: &'static str,
    /// What has to be seen then.
    pub(super) promise: &'static str,
    /// Does it and says what was seen; an error says what wasn't.
    pub(super) play: fn(&mut Stage) -> Result<String>,
}

/// The steps in order; each builds on the state that the one before left.
pub(super) const STORY: &[Step] = &[
    attach::STEP,
    monitor::STEP,
    block::STEP,
    limit::STEP,
    bot::STEP,
    death::STEP,
    rebirth::STEP,
    detach::STEP,
];

impl Stage {
    /// One request by a client that no rule knows.
    fn visit(&self, site: Site, source: &str) -> Result<Answer> {
        client::curl(&self.lab, site, source, Manner::Unknown)
    }

    /// Insists that a client is served.
    fn expect_page(&self, site: Site, source: &str) -> Result<()> {
        let answer = self.visit(site, source)?;
        ensure!(answer == Answer::Page, "{source} was not served");
        Ok(())
    }

    /// Insists that a client hears nothing.
    fn expect_silence(&self, site: Site, source: &str) -> Result<()> {
        let answer = self.visit(site, source)?;
        ensure!(answer == Answer::Silence, "{source} was served all the same");
        Ok(())
    }
}

/// Packets that a counter rose by, and at least one.
fn rise(before: &Status, after: &Status, verdict: &str, reason: &str) -> Result<u64> {
    let [before, after] = [before, after].map(|status| status.packets_for(verdict, reason));
    ensure!(after > before, "the counter {verdict}/{reason} stayed at {before}");
    Ok(after - before)
}

/// The prefix that gets blocked, around [`crate::lab::host::BLOCKED`].
const BLOCKED_PREFIX: &str = "203.0.113.64/26";
