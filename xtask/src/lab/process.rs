//! Processes that go on while the story does.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::{clock, exec};

/// A process in the background, with its output in a file.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a process whose output is appended to `log`.
    ///
    /// # Errors
    ///
    /// If the log can't be written or the program can't be started.
    pub(crate) fn start(command: &mut Command, log: PathBuf) -> Result<Self> {
        let output = File::options().create(true).append(true).open(&log);
        let output = output.with_context(|| format!("can't write {}", log.display()))?;
        command.stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().context("can't start a process of the lab")?;
        Ok(Self { child, log })
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Kills it so that it can't do anything about it, and waits for its end.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end, and waits until it does.
    pub(crate) fn terminate(&mut self, limit: Duration) -> Result<ExitStatus> {
        let process = self.child.id().to_string();
        exec::stdout_of(exec::command("kill").args(["-TERM", &process]))?;
        clock::poll("the end of a process that was asked to", limit, || self.ended())
    }

    /// The last lines of its output.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        exec::tail(&String::from_utf8_lossy(&log), LOG_LINES)
    }
}

const LOG_LINES: usize = 30;
