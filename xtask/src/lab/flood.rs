//! A client that sends far too much, for a bounded time.

use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use super::{EDGE_V4, Site};

/// A flood that is being sent.
pub(crate) struct Flood {
    child: Child,
}

impl Flood {
    /// Starts sending `per_sec` UDP packets from `source` to the edge, for `seconds`.
    ///
    /// # Errors
    ///
    /// If the sender can't be started.
    pub(crate) fn start(source: &str, per_sec: u64, seconds: u64) -> Result<Self> {
        let mut python = Site::Elsewhere.command("/usr/bin/python3");
        python.args([
            "-I",
            "-u",
            "-c",
            include_str!("script/flood.py"),
            source,
            EDGE_V4,
        ]);
        python.args([per_sec.to_string(), seconds.to_string()]);
        let child = python.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Ok(Self {
            child: child.context("can't start python3")?,
        })
    }

    /// Whether it still goes on.
    pub(crate) fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits for the end and gives the number of packets sent.
    ///
    /// # Errors
    ///
    /// If the sender failed.
    pub(crate) fn finish(self) -> Result<u64> {
        let output = self.child.wait_with_output()?;
        if !output.status.success() {
            bail!(
                "the flood failed: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let said = String::from_utf8_lossy(&output.stdout);
        said.trim()
            .parse()
            .with_context(|| format!("the flood said {said:?}"))
    }
}
