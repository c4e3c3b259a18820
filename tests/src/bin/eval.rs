//! `eval`: judges the clients of a labelled corpus.

use anyhow::{Context, Result};
use clap::Parser;
use filter_user::classify::knowledge::Day;
use std::path::PathBuf;
use tests::{eval, output};

/// Judges each client of a labelled corpus as if it had never been seen.
#[derive(Parser)]
struct Options {
    /// Folder with captures and their labels.json
    #[arg(long)]
    corpus: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The day on which versions are old (default: the knowledge's)
    #[arg(long)]
    at: Option<String>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let at = options.at.map(|day| Day::parse(&day).context("a day looks like 2026-11-22"));
    let evaluation = eval::run(&options.corpus, at.transpose()?)?;
    output::result(&if options.json { evaluation.json()? } else { evaluation.text() });
    Ok(())
}
