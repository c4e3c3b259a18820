//! Legitimate clients on connections that they keep: wrk over TLS.

use super::site::{self, Site};
use crate::lab::EDGE;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::process::{Child, Stdio};

/// wrk, at it.
pub(super) struct Regulars {
    wrk: Child,
}

/// What became of its requests.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Requests {
    /// Requests that were sent.
    pub asked: u32,
    /// Those that were answered before the end.
    pub answered: u32,
    /// Those of them that waited for more than a second.
    pub late: u32,
    /// How long an answer took, in the median.
    pub median_us: u64,
    /// All but one of a hundred took no longer.
    pub p99_us: u64,
    /// What the slowest answer took.
    pub max_us: u64,
}

impl Requests {
    /// Requests without an answer in time.
    #[must_use]
    pub const fn lost(&self) -> u32 {
        self.asked.saturating_sub(self.answered) + self.late
    }
}

/// Connections; each asks three times a second, which a slower answer hardly changes.
const CONNECTIONS: &str = "300";

impl Regulars {
    /// Starts wrk for some seconds.
    ///
    /// # Errors
    ///
    /// It can't be started.
    pub(super) fn start(site: &Site, seconds: u32) -> Result<Self> {
        let script = site.lab.dir.path().join("regulars.lua");
        std::fs::write(&script, include_str!("regulars.lua"))?;
        let mut wrk = site.lab.at_peer("wrk");
        wrk.args(["-t", "1", "-c", CONNECTIONS, "-d", &format!("{seconds}s")]);
        wrk.args(["--timeout", "1s", "-s"])
            .arg(script)
            .arg(format!("https://{EDGE}:{}/", site::TLS));
        wrk.stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(Self { wrk: wrk.spawn().context("can't start wrk")? })
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// It fails.
    pub(super) fn finish(self) -> Result<Requests> {
        let output = self.wrk.wait_with_output()?;
        let (said, complaint) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "wrk failed: {complaint}");
        let said = String::from_utf8_lossy(said);
        let summary = said.lines().find(|line| line.starts_with('{'));
        Ok(serde_json::from_str(summary.with_context(|| format!("wrk said {said}"))?)?)
    }
}
