//! `cargo xtask eval`: how well clients of a labelled corpus are classified.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::{exec, setup, term, workspace};

/// What to judge, and how to print it.
#[derive(Args)]
pub(crate) struct Options {
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// Folder with captures and their labels.json (default: tests/corpus/hellos)
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// The day on which versions are old, as 2026-11-22 (default: the knowledge's)
    #[arg(long)]
    at: Option<String>,
}

/// Judges every client of the corpus, as if neither it nor its kin had ever been seen.
///
/// # Errors
///
/// If the program can't be built, or the corpus can't be read.
pub(crate) fn run(options: &Options) -> Result<bool> {
    setup::for_build()?;
    let program = workspace::build_test_program("eval")?;
    let mut command = exec::command(program);
    let corpus = match &options.corpus {
        Some(folder) => std::path::absolute(folder).context("no such folder")?,
        None => workspace::root().join("tests/corpus/hellos"),
    };
    command.arg("--corpus").arg(corpus);
    if options.json {
        command.arg("--json");
    }
    if let Some(day) = &options.at {
        command.args(["--at", day]);
    }
    for line in exec::stdout_of(&mut command)?.lines() {
        term::line(line);
    }
    Ok(true)
}
