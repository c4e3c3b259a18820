//! `fuzz TARGET`: feeds a target random input for a while.

use anyhow::{Context, Result};
use clap::Parser;
use std::process::ExitCode;
use tests::{fuzz, output};

/// Feeds parsers and both filters with random input.
#[derive(Parser)]
struct Options {
    /// Print the targets' names
    #[arg(long)]
    list: bool,
    /// How long
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Repeats an earlier run (default: a new one)
    #[arg(long)]
    seed: Option<u64>,
    /// Targets to feed
    targets: Vec<String>,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if options.list {
        for target in fuzz::TARGETS {
            output::result(target.name);
        }
    }
    for name in &options.targets {
        let target = fuzz::TARGETS.iter().find(|target| target.name == name);
        let target = target.with_context(|| format!("no target {name}; --list names them"))?;
        let seed = options.seed.unwrap_or_else(rand::random);
        if !fuzz::run(target, options.seconds, seed)? {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
