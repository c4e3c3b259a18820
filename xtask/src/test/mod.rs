//! `cargo xtask test`: host tests, then the privileged ones in throw-away namespaces.

use anyhow::Result;
use clap::Args;

use crate::clients::Referee;
use crate::workspace::{self, Executable};
use crate::{clock, exec, setup, term};

mod report;
mod runner;
mod tally;

use report::Row;
use runner::Given;
use tally::Tally;

/// What to test, and how strictly.
#[derive(Args)]
pub(crate) struct Options {
    /// A skipped test is a failure
    #[arg(long)]
    deny_skips: bool,
    /// Only tests whose name contains this
    filter: Option<String>,
}

/// Runs the tests and says whether all passed that had to.
///
/// # Errors
///
/// If they can't be built or started.
pub(crate) fn run(options: &Options) -> Result<bool> {
    exec::require_root("the privileged part of the tests")?;
    setup::for_tests()?;
    let filter = options.filter.as_deref();
    let given =
        Given { programs: workspace::build_palisade("release")?, referee: Referee::prepare()? };
    let mut rows = run_docs(filter)?;
    let (privileged, host) = built_tests()?;
    for test in &host {
        rows.push(row(test, "host", || runner::on_host(test, filter))?);
    }
    for test in &privileged {
        rows.push(row(test, "privileged", || runner::isolated(test, &given, filter))?);
    }
    Ok(report::print(&rows, options.deny_skips, filter.is_some()))
}

/// Every test executable of the workspace: the privileged ones, and the others.
fn built_tests() -> Result<(Vec<Executable>, Vec<Executable>)> {
    let mut built = Vec::new();
    for arguments in BUILDS {
        built.extend(workspace::build("building the tests", arguments)?);
    }
    let tests = built.into_iter().filter(is_test);
    Ok(tests.partition(|test| test.kind == "test" && test.package.ends_with("tests")))
}

/// Cargo builds plain programs beside the tests; only what lies in `deps` is a test.
fn is_test(built: &Executable) -> bool {
    built.path.parent().is_some_and(|folder| folder.ends_with("deps"))
}

/// Examples in the docs are built and run by Cargo itself.
fn run_docs(filter: Option<&str>) -> Result<Vec<Row>> {
    let row = |package: &&str| {
        let start = clock::now();
        let tally = runner::docs(package, filter)?;
        Ok(Row::new(package, "docs", tally, clock::since(start)))
    };
    WITH_DOCS.iter().map(row).collect()
}

fn row(test: &Executable, kind: &'static str, run: impl FnOnce() -> Result<Tally>) -> Result<Row> {
    term::line(&format!("\n== {} ({kind})", test.name));
    let start = clock::now();
    let tally = run()?;
    Ok(Row::new(&test.name, kind, tally, clock::since(start)))
}

/// The packet path and this tool with debug assertions, which catch what wraps. The rest
/// as it is shipped, because some tests hold it to a duration, and because the demo and
/// the benchmarks need that build as well.
const BUILDS: [&[&str]; 2] = [
    &["test", "--no-run", "-p", "filter-common", "-p", "xtask"],
    &["test", "--no-run", "--release", "-p", "filter-user", "-p", "tests"],
];

/// The packages whose docs have examples.
const WITH_DOCS: [&str; 1] = ["filter-common"];
