//! What things cost, in named groups.

mod address;
mod flood;
mod hello;
mod limit;
mod load;
mod log;
mod measure;
mod path;
mod quic;

use anyhow::{Context, Result};
use serde::Serialize;

/// A group's name and how it is measured, in so many rounds.
pub struct Entry {
    /// The name.
    pub name: &'static str,
    /// Measures it.
    pub measure: fn(rounds: usize) -> Result<Measured>,
}

/// All groups.
pub const GROUPS: &[Entry] = &[
    Entry { name: "path", measure: path::measure },
    Entry { name: "address", measure: address::measure },
    Entry { name: "flood", measure: flood::measure },
    Entry { name: "limit", measure: limit::measure },
    Entry { name: "hello", measure: hello::measure },
    Entry { name: "quic", measure: quic::measure },
    Entry { name: "log", measure: log::measure },
    Entry { name: "load", measure: load::measure },
];

/// What came out of a group.
#[derive(Debug, Default, Serialize)]
pub struct Measured {
    /// What was measured with, if that can differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<&'static str>,
    /// What packets cost.
    pub cases: Vec<Case>,
    /// What else was measured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<Measure>,
    /// What was demanded of the figures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub demands: Vec<Demand>,
}

/// One measurement and what it is held against.
///
/// *Units*: nanoseconds a packet.
#[derive(Debug, Serialize)]
pub struct Case {
    /// Its name.
    pub case: String,
    /// The median of its rounds.
    pub ns: f64,
    /// The least: what it takes when nothing else on the machine is in the way.
    pub least_ns: f64,
    /// The case that it is held against.
    pub baseline: String,
    /// That case's median over the same rounds.
    pub baseline_ns: f64,
    /// How many times the baseline it takes.
    pub ratio: f64,
}

/// A figure that isn't a packet's cost.
#[derive(Debug, Serialize)]
pub struct Measure {
    /// Of what.
    pub measure: String,
    /// How much.
    pub value: f64,
    /// Of what unit.
    pub unit: &'static str,
}

/// Something that the figures should be.
#[derive(Debug, Serialize)]
pub struct Demand {
    /// What.
    pub demand: String,
    /// What was measured, in words.
    pub measured: String,
    /// Whether it is.
    pub met: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    group: &'a str,
    kernel: String,
    #[serde(flatten)]
    measured: Measured,
}

/// Measures a group: one JSON object on one line.
///
/// # Errors
///
/// The kernel's.
pub fn run(entry: &Entry, rounds: usize) -> Result<String> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")
        .context("/proc/sys/kernel/osrelease names the kernel")?;
    let measured = (entry.measure)(rounds)?;
    let report = Report { group: entry.name, kernel: kernel.trim().to_owned(), measured };
    Ok(serde_json::to_string(&report)?)
}
