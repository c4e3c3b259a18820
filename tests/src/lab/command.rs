//! Commands and what they say.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::process::Command;

/// What a command said.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// Runs a command to its end.
///
/// *Errors*: it can't be started, or prints no text.
pub fn run(command: &mut Command) -> Result<Outcome> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    Ok(Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

impl Outcome {
    /// Itself, if the command exited with 0.
    ///
    /// *Errors*: it didn't.
    pub fn success(self) -> Result<Self> {
        ensure!(self.code == 0, "exit code {}: {}{}", self.code, self.stdout, self.stderr);
        Ok(self)
    }

    /// Itself, if the command did not succeed.
    ///
    /// # Errors
    ///
    /// It did.
    pub fn failed(self) -> Result<Self> {
        ensure!(self.code != 0, "it succeeded: {}{}", self.stdout, self.stderr);
        Ok(self)
    }

    /// Itself, if the command exited with a code and complained in these words.
    ///
    /// *Errors*: it didn't.
    pub fn refused(self, code: i32, words: &str) -> Result<Self> {
        let said = self.stderr.contains(words);
        ensure!(self.code == code && said, "wanted {code} and {words:?}, got {self:?}");
        Ok(self)
    }

    /// What was printed, as JSON.
    ///
    /// *Errors*: it isn't.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| format!("{self:?}"))
    }
}
