//! `bench GROUP...`: measures groups of cases and prints one JSON object for each.

use anyhow::{Context, Result};
use clap::Parser;
use tests::{bench, output};

/// Measures what packets cost in the kernel.
#[derive(Parser)]
struct Options {
    /// Print the groups' names
    #[arg(long)]
    list: bool,
    /// Rounds; the median counts
    #[arg(long, default_value_t = 15)]
    runs: usize,
    /// Groups to measure
    groups: Vec<String>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    if options.list {
        for group in bench::GROUPS {
            output::result(group.name);
        }
    }
    for name in &options.groups {
        let group = bench::GROUPS.iter().find(|group| group.name == name);
        let group = group.with_context(|| format!("no group {name}; --list names them"))?;
        output::result(&bench::run(group, options.runs)?);
    }
    Ok(())
}
