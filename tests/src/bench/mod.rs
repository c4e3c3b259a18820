//! What things cost, in named groups.

mod measure;
mod path;

use anyhow::{Context, Result};
use serde::Serialize;

/// A group's name and how it is measured, in so many rounds.
pub struct Entry {
    /// The name.
    pub name: &'static str,
    /// Measures it.
    pub measure: fn(rounds: usize) -> Result<Vec<Case>>,
}

/// All groups.
pub const GROUPS: &[Entry] = &[Entry { name: "path", measure: path::measure }];

/// One measurement and what it is held against.
///
/// *Units*: nanoseconds a packet.
#[derive(Debug, Serialize)]
pub struct Case {
    /// Its name.
    pub case: String,
    /// The median of its rounds.
    pub ns: f64,
    /// The case that it is held against.
    pub baseline: String,
    /// That case's median over the same rounds.
    pub baseline_ns: f64,
    /// How many times the baseline it takes.
    pub ratio: f64,
}

#[derive(Serialize)]
struct Report<'a> {
    group: &'a str,
    kernel: String,
    cases: Vec<Case>,
}

/// Measures a group: one JSON object on one line.
///
/// # Errors
///
/// The kernel's.
pub fn run(entry: &Entry, rounds: usize) -> Result<String> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")
        .context("/proc/sys/kernel/osrelease names the kernel")?;
    let cases = (entry.measure)(rounds)?;
    let report = Report { group: entry.name, kernel: kernel.trim().to_owned(), cases };
    Ok(serde_json::to_string(&report)?)
}
