//! Somebody who listens to the daemon: `palisade --json watch`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::filter::Filter;
use super::{Lab, Process};

/// Somebody who listens to the daemon.
pub(crate) struct Listener {
    log: PathBuf,
    /// Ends with the lab.
    _process: Process,
}

impl Listener {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// If it can't be started.
    pub(crate) fn start(lab: &Lab, filter: &Filter) -> Result<Self> {
        let log = lab.folder().join("watch.jsonl");
        let process = Process::start(&mut filter.command(&["--json", "watch"]), log.clone())?;
        Ok(Self { log, _process: process })
    }

    /// All that was heard up to now, an event a line.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    pub(crate) fn heard(&self) -> Result<String> {
        fs::read_to_string(&self.log).context("can't read what the daemon told")
    }
}
