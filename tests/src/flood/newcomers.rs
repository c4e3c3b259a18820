//! Legitimate clients that open connections at a steady rate.

use super::site::{self, Site};
use crate::lab::EDGE;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::io::{Read, Write};
use std::process::{Child, Stdio};

/// The clients: those that were served before, and strangers.
pub(super) struct Newcomers {
    script: Child,
}

/// What became of the connections of a group.
///
/// *Shape*: a connection is served when its request was answered within three seconds; so
/// a lost SYN is sent again once.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Group {
    /// Connections that were tried.
    pub tried: u32,
    /// Those that were served.
    pub served: u32,
}

/// Both groups.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Groups {
    /// Clients that were served before the attack.
    pub known: Group,
    /// Clients that come once.
    pub strangers: Group,
}

impl Newcomers {
    /// Has the known ones served once. The others will come at `rate` connections a second
    /// of each group, for so many seconds; strangers are numbered from `first` on.
    ///
    /// # Errors
    ///
    /// Not all were served.
    pub(super) fn ready(site: &Site, rate: u32, seconds: u32, first: u32) -> Result<Self> {
        let mut script = site.lab.at_peer("/usr/bin/python3");
        script.args(["-I", "-u", "-c", include_str!("newcomers.py"), EDGE]);
        script
            .args([u32::from(site::PLAIN), rate, seconds, first].map(|number| number.to_string()));
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut script = script.spawn().context("can't start python3")?;
        let mut said = [0; READY.len()];
        let output = script.stdout.as_mut().context("the script has no output")?;
        if output.read_exact(&mut said).is_err() {
            let said = script.wait_with_output()?.stderr;
            anyhow::bail!("newcomers: {}", String::from_utf8_lossy(&said));
        }
        Ok(Self { script })
    }

    /// Lets them come.
    ///
    /// # Errors
    ///
    /// They are gone.
    pub(super) fn go(&mut self) -> Result<()> {
        let input = self.script.stdin.as_mut().context("the script has no input")?;
        Ok(input.write_all(b"go\n")?)
    }

    /// Waits until the last one was served or gave up.
    ///
    /// # Errors
    ///
    /// The script failed.
    pub(super) fn finish(self) -> Result<Groups> {
        let output = self.script.wait_with_output()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "newcomers: {complaint}");
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// The script's first line.
const READY: &str = "ready\n";
