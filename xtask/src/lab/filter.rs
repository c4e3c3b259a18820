//! The daemon on the edge, and its command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Process, Site};
use crate::{clock, exec};

/// Palisade on the edge.
pub(crate) struct Filter {
    programs: PathBuf,
    folder: PathBuf,
    daemon: Process,
}

/// The part of `palisade --json status` that somebody looks at.
#[derive(Deserialize)]
pub(crate) struct Status {
    pub(crate) mode: String,
    pub(crate) interfaces: Vec<Interface>,
    counters: Vec<Counter>,
}

#[derive(Deserialize)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) attach: String,
}

#[derive(Deserialize)]
struct Counter {
    verdict: String,
    reason: String,
    packets: u64,
}

impl Status {
    /// Packets counted with this verdict, for any reason.
    pub(crate) fn packets(&self, verdict: &str) -> u64 {
        self.sum(|counter| counter.verdict == verdict)
    }

    /// Packets counted with this verdict for this reason.
    pub(crate) fn packets_for(&self, verdict: &str, reason: &str) -> u64 {
        self.sum(|counter| counter.verdict == verdict && counter.reason == reason)
    }

    fn sum(&self, wanted: impl Fn(&Counter) -> bool) -> u64 {
        let counters = self.counters.iter().filter(|counter| wanted(counter));
        counters.map(|counter| counter.packets).sum()
    }
}

impl Filter {
    /// Writes the configuration, which names [`super::FOLDER`]'s paths and the edge's
    /// interface, and starts the daemon.
    ///
    /// # Errors
    ///
    /// If the daemon doesn't come up; the message has the end of its log.
    pub(crate) fn start(programs: &Path, folder: &Path, config: &str) -> Result<Self> {
        fs::write(folder.join("palisade.toml"), config)?;
        let daemon = spawn(programs, folder)?;
        let (programs, folder) = (programs.to_owned(), folder.to_owned());
        let mut filter = Self { programs, folder, daemon };
        filter.wait_until_ready()?;
        Ok(filter)
    }

    /// Starts the daemon again after its end.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.daemon = spawn(&self.programs, &self.folder)?;
        self.wait_until_ready()
    }

    /// Kills the daemon as nothing can be done about.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.daemon.kill()
    }

    /// Ends the daemon in good order, unless it has ended by itself.
    pub(crate) fn stop(&mut self) -> Result<()> {
        if self.daemon.ended()?.is_none() {
            let status = self.daemon.terminate(READY)?;
            if !status.success() {
                bail!("the daemon was asked to end and ended with {status}");
            }
        }
        Ok(())
    }

    /// The command line with some arguments. It speaks to the daemon through a file, so it
    /// needn't enter the edge's network, which would count as its own time.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = exec::command(self.programs.join("palisade"));
        command.arg("--socket").arg(self.folder.join("run/control.sock")).args(arguments);
        command
    }

    /// Runs a command and gives what it printed for people.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String> {
        exec::stdout_of(&mut self.command(arguments))
    }

    /// Runs a command with `--json` and reads what it printed.
    pub(crate) fn ask<T: DeserializeOwned>(&self, arguments: &[&str]) -> Result<T> {
        let arguments: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
        let said = self.run(&arguments)?;
        serde_json::from_str(&said)
            .with_context(|| format!("palisade {} said {said}", arguments.join(" ")))
    }

    /// What the daemon knows, with the kernel's counters.
    pub(crate) fn status(&self) -> Result<Status> {
        self.ask(&["status"])
    }

    /// The end of the daemon's log.
    pub(crate) fn log(&self) -> String {
        self.daemon.log_tail()
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        clock::poll("palisaded ready", READY, || {
            if let Some(status) = self.daemon.ended()? {
                bail!("palisaded ended with {status}:\n{}", self.log());
            }
            Ok(exec::succeeds(&mut self.command(&["status"])).then_some(()))
        })
        .with_context(|| format!("its log ends with:\n{}", self.log()))
    }
}

fn spawn(programs: &Path, folder: &Path) -> Result<Process> {
    let mut daemon = Site::Edge.command(programs.join("palisaded"));
    daemon.arg("--config").arg(folder.join("palisade.toml"));
    Process::start(&mut daemon, folder.join("palisaded.log"))
}

/// Where the daemon pins what has to outlive it, as configured.
pub(crate) const PINS: &str = "/sys/fs/bpf/palisade";

const READY: Duration = Duration::from_secs(20);
