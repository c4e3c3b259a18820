//! `cargo xtask fuzz`: random input, for a bounded time.

use std::path::Path;

use anyhow::Result;
use clap::Args;

use crate::{clock, exec, isolate, setup, term, workspace};

/// What to feed, and for how long.
#[derive(Args)]
pub(crate) struct Options {
    /// Targets (default: all)
    targets: Vec<String>,
    /// Seconds for each target
    #[arg(long, default_value_t = 10)]
    seconds: u32,
}

/// Feeds the targets one after the other, also after a failure.
///
/// # Errors
///
/// If the program can't be built or doesn't list its targets.
pub(crate) fn run(options: &Options) -> Result<bool> {
    exec::require_root("comparing with the kernel")?;
    setup::for_build()?;
    let program = workspace::build_test_program("fuzz")?;
    let mut rows = Vec::new();
    for target in targets(&program, options)? {
        term::line(&format!("\n== {target}, {} s", options.seconds));
        let start = clock::now();
        let held = feed(&program, &target, options.seconds)?;
        let result = if held { "ok" } else { FAILED };
        rows.push(vec![target, result.to_owned(), clock::since(start)]);
    }
    term::line("");
    term::table(&["target", "result", "time"], &rows);
    Ok(rows.iter().all(|row| row[1] != FAILED))
}

fn targets(program: &Path, options: &Options) -> Result<Vec<String>> {
    if !options.targets.is_empty() {
        return Ok(options.targets.clone());
    }
    let listed = exec::stdout_of(isolate::command(program).arg("--list"))?;
    Ok(listed.lines().map(str::to_owned).collect())
}

/// Crashes are written to the corpus of the sources, so it runs at the workspace's root.
fn feed(program: &Path, target: &str, seconds: u32) -> Result<bool> {
    let mut command = isolate::command(program);
    command.arg(target).args(["--seconds", &seconds.to_string()]);
    Ok(command.current_dir(workspace::root()).status()?.success())
}

const FAILED: &str = "FAILED";
