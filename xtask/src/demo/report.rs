//! The outcome, for programs.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// How the demo went, up to now.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Steps in the order of the story.
    pub(super) steps: Vec<Outcome>,
    /// Whether the story was played to its end and each step held.
    pub(super) ok: bool,
}

/// How one step went.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) name: &'static str,
    pub(super) ok: bool,
    /// What was seen, or why it failed.
    pub(super) detail: String,
}

impl Report {
    /// The report of a demo that failed before its story began.
    pub(super) fn failed(name: &'static str, error: &anyhow::Error) -> Self {
        let detail = format!("{error:#}");
        Self { steps: vec![Outcome { name, ok: false, detail }], ok: false }
    }
}

/// The file that a report goes to, if one was asked for.
pub(super) struct ReportFile(Option<File>);

impl ReportFile {
    /// Makes the file, or opens the one that is there without changing it yet.
    ///
    /// # Errors
    ///
    /// If it can't be written: better now than after the demo.
    pub(super) fn create(path: Option<&Path>) -> Result<Self> {
        let create = |path: &Path| {
            let file = File::options().write(true).create(true).truncate(false).open(path);
            file.with_context(|| format!("can't write {}", path.display()))
        };
        Ok(Self(path.map(create).transpose()?))
    }

    /// Replaces what the file says.
    pub(super) fn write(&mut self, report: &Report) -> Result<()> {
        let Some(file) = &mut self.0 else {
            return Ok(());
        };
        let mut text = serde_json::to_string(report)?;
        text.push('\n');
        // Not emptied first: whenever this process is killed, there is a report. Each is longer
        // than the one before.
        file.rewind()?;
        file.write_all(text.as_bytes()).context("can't write the report")?;
        let end = file.stream_position()?;
        file.set_len(end).context("can't cut the report")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_the_promised_shape() {
        let report = Report::failed("lab", &anyhow::anyhow!("no room"));
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(text, r#"{"steps":[{"name":"lab","ok":false,"detail":"no room"}],"ok":false}"#);
    }

    #[test]
    fn an_unfinished_report_has_not_succeeded() {
        assert!(!Report::default().ok);
    }
}
