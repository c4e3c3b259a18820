//! Rows to entries, and what an import comes to.

use super::comment::clean;
use super::problem::Problem;
use super::{Entry, Row};
use std::borrow::Cow;

/// What a list that was read comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Entries that went to the sink; a range counts once a prefix.
    pub entries: u64,
    /// Lines whose host bits were cleared.
    pub had_host_bits: u64,
    /// The first of them.
    pub first_host_bits_line: Option<u64>,
    /// Lines whose time has come already: they were skipped, and the list isn't empty for it.
    pub expired: u64,
}

/// A list that was refused whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Lines that are no entry.
    #[error("{total} bad line{}, nothing was imported\n{}", if *total == 1 { "" } else { "s" }, shown.join("\n"))]
    BadLines {
        /// How many.
        total: usize,
        /// The first 20 of them, each with its number, what is wrong and what to do.
        shown: Vec<String>,
    },
    /// No entry at all: more likely a failed download than a wish.
    #[error("the list is empty, nothing was imported")]
    Empty,
}

/// Bad lines that an error repeats.
const SHOWN: usize = 20;

/// The counts of an import under way.
#[derive(Debug)]
pub(super) struct Tally {
    now_unix_s: u64,
    report: Report,
    bad: usize,
    shown: Vec<String>,
}

impl Tally {
    pub(super) fn new(now_unix_s: u64) -> Self {
        Self { now_unix_s, report: Report::default(), bad: 0, shown: Vec::new() }
    }

    /// Counts what a line says, and hands its entries to `sink` unless the list is bad.
    pub(super) fn take(
        &mut self,
        number: u64,
        row: Result<Option<Row<'_>>, Problem>,
        sink: &mut dyn FnMut(Entry<'_>),
    ) {
        match row {
            Ok(Some(row)) if self.bad == 0 => self.accept(number, &row, sink),
            Ok(_) => {}
            Err(problem) => self.refuse(number, &problem),
        }
    }

    /// *Errors*: [`ImportError`].
    pub(super) fn finish(self) -> Result<Report, ImportError> {
        if self.bad > 0 {
            return Err(ImportError::BadLines { total: self.bad, shown: self.shown });
        }
        if self.report.entries == 0 && self.report.expired == 0 {
            return Err(ImportError::Empty);
        }
        Ok(self.report)
    }

    fn accept(&mut self, number: u64, row: &Row<'_>, sink: &mut dyn FnMut(Entry<'_>)) {
        if row.expires_unix_s.is_some_and(|expires| expires <= self.now_unix_s) {
            self.report.expired += 1;
            return;
        }
        if row.had_host_bits {
            self.report.had_host_bits += 1;
            self.report.first_host_bits_line.get_or_insert(number);
        }
        let comment = if row.comment.is_empty() { Cow::Borrowed("") } else { clean(row.comment) };
        let expires_unix_s = row.expires_unix_s.unwrap_or(0);
        row.target.each(|prefix| {
            self.report.entries += 1;
            sink(Entry { prefix, expires_unix_s, comment: &comment });
        });
    }

    fn refuse(&mut self, number: u64, problem: &Problem) {
        self.bad += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(format!("line {number}: {problem}"));
        }
    }
}
