//! `cargo xtask vm`: the product on other kernels, each in a machine of its own.
//!
//! Debian's kernels for clouds come from its archives, the machine from QEMU, and the file
//! system from here: the programs as they were built, and the corpus. What the machine tells
//! is judged outside of it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{setup, term, workspace};

mod archive;
mod image;
mod judge;
mod kernel;
mod machine;
mod outcome;
mod report;
mod transcript;

use archive::Archive;
use image::Image;
use kernel::{Kernel, Wanted};
use machine::Accelerator;
use outcome::Outcome;

/// Which kernels, and how to print what came of it.
#[derive(Args)]
pub(crate) struct Options {
    /// A series such as 6.12, or `newest`; can be given several times
    #[arg(long = "kernel", value_name = "SERIES", default_values = kernel::DEFAULT)]
    kernels: Vec<Wanted>,
    /// Print one JSON object per kernel instead of a table
    #[arg(long)]
    json: bool,
    /// Seconds until a machine is given up
    #[arg(long, default_value_t = 300)]
    timeout: u64,
}

/// Boots the kernels one after the other, also after a failure, and says whether all are
/// as they have to be.
///
/// # Errors
///
/// If something is missing that can't be installed, a kernel can't be had, or the build fails.
pub(crate) fn run(options: &Options) -> Result<bool> {
    if cfg!(not(target_arch = "x86_64")) {
        bail!("the machines are x86-64, and what is built here isn't");
    }
    setup::for_vm()?;
    let folder = workspace::root().join("target/vm");
    let archive = Archive::open(&folder)?;
    let kernels = options.kernels.iter().map(|wanted| choose(*wanted, &archive));
    let kernels = kernels.collect::<Result<Vec<Kernel>>>()?;
    let files = kernels.iter().map(|kernel| archive.fetch(kernel)).collect::<Result<Vec<_>>>()?;
    let image = Image::new(&folder, &workspace::build_palisade("release")?)?;
    let limit = Duration::from_secs(options.timeout);
    let accelerator = Accelerator::find(files.first().context("no kernel is asked for")?);
    let mut outcomes = Vec::new();
    for (kernel, files) in kernels.iter().zip(&files) {
        let packed = image.pack(files)?;
        let run = machine::boot(&folder, &kernel.release, files, &packed, (accelerator, limit))?;
        let outcome = Outcome::new(kernel, &run)?;
        report::progress(&outcome);
        if options.json {
            term::line(&serde_json::to_string(&outcome)?);
        }
        outcomes.push(outcome);
    }
    if !options.json {
        report::print(&outcomes, &machine::logs(&folder));
    }
    Ok(outcomes.iter().all(Outcome::holds))
}

fn choose(wanted: Wanted, archive: &Archive) -> Result<Kernel> {
    Kernel::choose(wanted, &archive.packages).with_context(|| {
        let known = kernel::series(&archive.packages);
        format!("Debian has no kernel {wanted} for clouds; it has {}", known.join(", "))
    })
}
