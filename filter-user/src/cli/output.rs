//! The only place that prints.
#![expect(clippy::print_stderr, reason = "errors are for whoever runs the command")]

use anyhow::Result;
use serde::Serialize;
use std::io::{self, BufWriter, Write};

/// Tables for people or JSON for programs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(super) const fn is_json(self) -> bool {
        self.json
    }

    /// Shows a reply.
    ///
    /// *Errors*: nobody reads the output any more.
    pub(super) fn show<T: Serialize>(self, value: &T, table: impl Fn(&T) -> String) -> Result<()> {
        let text = if self.json { serde_json::to_string(value)? } else { table(value) };
        let mut out = io::stdout().lock();
        writeln!(out, "{}", text.trim_end())?;
        Ok(out.flush()?)
    }

    /// Says something to people alone.
    ///
    /// *Errors*: nobody reads the output any more.
    pub(super) fn remark(self, text: &str) -> Result<()> {
        if !self.json {
            writeln!(io::stdout(), "{text}")?;
        }
        Ok(())
    }

    /// Has someone else write, who is told whether JSON is wanted.
    ///
    /// *Errors*: nobody reads the output any more.
    pub(super) fn write<R>(self, write: impl FnOnce(bool, &mut dyn Write) -> R) -> Result<R> {
        let mut out = BufWriter::new(io::stdout().lock());
        let outcome = write(self.json, &mut out);
        out.flush()?;
        Ok(outcome)
    }
}

/// Shows why a command failed.
pub(super) fn problem(text: &str) {
    eprintln!("palisade: {text}");
}
