//! A client that sends far too much, for a bounded time, and what of it arrives.

use std::io::Read;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use super::{EDGE_V4, Site};

/// A flood that is being sent.
pub(crate) struct Flood {
    sender: Child,
    sink: Child,
}

/// What became of a flood.
pub(crate) struct Outcome {
    pub(crate) sent: u64,
    /// Packets that reached a program on the edge.
    pub(crate) arrived: u64,
}

impl Flood {
    /// Starts sending `per_sec` UDP packets from `source` to the edge, for `seconds`.
    ///
    /// # Errors
    ///
    /// If sender or receiver can't be started.
    pub(crate) fn start(source: &str, per_sec: u64, seconds: u64) -> Result<Self> {
        let quiet = QUIET_SECONDS.to_string();
        let sink = include_str!("script/sink.py");
        let mut sink = script(Site::Edge, sink, &[EDGE_V4, &quiet])?;
        wait_until_ready(&mut sink)?;
        let rate = [per_sec.to_string(), seconds.to_string()];
        let sender = include_str!("script/flood.py");
        let sender = script(Site::Elsewhere, sender, &[source, EDGE_V4, &rate[0], &rate[1]])?;
        Ok(Self { sender, sink })
    }

    /// Whether it still goes on.
    pub(crate) fn is_running(&mut self) -> Result<bool> {
        Ok(self.sender.try_wait()?.is_none())
    }

    /// Waits for the end.
    ///
    /// # Errors
    ///
    /// If sender or receiver failed.
    pub(crate) fn finish(self) -> Result<Outcome> {
        Ok(Outcome { sent: number(self.sender)?, arrived: number(self.sink)? })
    }
}

fn script(site: Site, text: &str, arguments: &[&str]) -> Result<Child> {
    let mut python = site.command("/usr/bin/python3");
    python.args(["-I", "-u", "-c", text]).args(arguments);
    python.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("can't start python3")
}

fn wait_until_ready(sink: &mut Child) -> Result<()> {
    let mut said = [0; READY.len()];
    let output = sink.stdout.as_mut().context("the sink has no output")?;
    output.read_exact(&mut said).context("the sink didn't start")?;
    Ok(())
}

fn number(script: Child) -> Result<u64> {
    let output = script.wait_with_output()?;
    if !output.status.success() {
        bail!("a script of the flood failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().parse().with_context(|| format!("a script of the flood said {said:?}"))
}

/// The sink's first line.
const READY: &str = "ready\n";

/// Silence after which the sink takes the flood for finished.
const QUIET_SECONDS: f32 = 0.5;
