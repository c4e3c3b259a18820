//! `cargo xtask bench`: what a packet costs, and what clients lose beside a flood.

use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;
use serde::Deserialize;

use crate::{exec, isolate, setup, term, workspace};

/// What to measure, and how to print it.
#[derive(Args)]
pub(crate) struct Options {
    /// Groups to measure (default: all)
    groups: Vec<String>,
    /// Print one JSON object per group instead of tables
    #[arg(long)]
    json: bool,
    /// Runs per case; the median counts
    #[arg(long)]
    runs: Option<u32>,
}

/// Measures the groups one after the other.
///
/// # Errors
///
/// If the program can't be built, or a group can't be measured.
pub(crate) fn run(options: &Options) -> Result<bool> {
    exec::require_root("measuring in the kernel")?;
    setup::for_build()?;
    let program = workspace::build_test_program("bench")?;
    for group in groups(&program, options)? {
        term::status(&format!("measuring {group} ..."));
        let mut command = isolate::command(&program);
        command.arg(&group);
        if WITH_LAB.contains(&group.as_str()) {
            setup::for_tests()?;
            command.env("PALISADE_BIN_DIR", workspace::build_palisade("release")?);
        }
        if let Some(runs) = options.runs {
            command.args(["--runs", &runs.to_string()]);
        }
        print(&exec::stdout_of(&mut command)?, options.json)?;
    }
    Ok(true)
}

/// The groups that play in a lab with the daemon and a real server.
const WITH_LAB: [&str; 2] = ["flood", "load"];

fn groups(program: &Path, options: &Options) -> Result<Vec<String>> {
    if !options.groups.is_empty() {
        return Ok(options.groups.clone());
    }
    let listed = exec::stdout_of(isolate::command(program).arg("--list"))?;
    Ok(listed.lines().map(str::to_owned).collect())
}

fn print(measured: &str, json: bool) -> Result<()> {
    for object in measured.lines().filter(|line| !line.trim().is_empty()) {
        let group: Group = serde_json::from_str(object)
            .with_context(|| format!("the benchmark printed something else: {object}"))?;
        if json {
            term::line(object);
        } else {
            group.print();
        }
    }
    Ok(())
}

/// One group's measurements, as the benchmark prints them.
#[derive(Deserialize)]
struct Group {
    #[serde(rename = "group")]
    name: String,
    kernel: String,
    data: Option<String>,
    cases: Vec<Case>,
    #[serde(default)]
    measures: Vec<Measure>,
    #[serde(default)]
    demands: Vec<Demand>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(rename = "case")]
    name: String,
    ns: f64,
    baseline: String,
    baseline_ns: f64,
    ratio: f64,
}

#[derive(Deserialize)]
struct Measure {
    #[serde(rename = "measure")]
    name: String,
    value: f64,
    unit: String,
}

#[derive(Deserialize)]
struct Demand {
    #[serde(rename = "demand")]
    what: String,
    measured: String,
    met: bool,
}

impl Group {
    fn print(&self) {
        let data = self.data.as_ref().map(|data| format!(", {data}")).unwrap_or_default();
        term::line(&format!("\n{} on kernel {}{data}", self.name, self.kernel));
        if !self.cases.is_empty() {
            let rows: Vec<_> = self.cases.iter().map(Case::cells).collect();
            term::table(&["case", "ns", "over", "against", "its ns", "ratio"], &rows);
        }
        if !self.measures.is_empty() {
            term::line("");
            let rows: Vec<_> = self.measures.iter().map(Measure::cells).collect();
            term::table(&["measure", "value", "unit"], &rows);
        }
        if !self.demands.is_empty() {
            term::line("");
            let rows: Vec<_> = self.demands.iter().map(Demand::cells).collect();
            term::table(&["demand", "measured", ""], &rows);
        }
    }
}

impl Measure {
    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), format!("{:.1}", self.value), self.unit.clone()]
    }
}

impl Demand {
    fn cells(&self) -> Vec<String> {
        let met = if self.met { "met" } else { "NOT MET" };
        vec![self.what.clone(), self.measured.clone(), met.to_owned()]
    }
}

impl Case {
    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            format!("{:.1}", self.ns),
            format!("{:+.1}", self.ns - self.baseline_ns),
            self.baseline.clone(),
            format!("{:.1}", self.baseline_ns),
            format!("{:.2}", self.ratio),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read_as_it_is_printed() {
        let object = r#"{"group":"path","kernel":"6.18","cases":[{"case":"pass",
            "ns":30,"baseline":"empty","baseline_ns":10.5,"ratio":2.86}]}"#;
        let group: Group = serde_json::from_str(object).unwrap();
        assert_eq!(group.cases[0].cells(), ["pass", "30.0", "+19.5", "empty", "10.5", "2.86"]);
    }
}
