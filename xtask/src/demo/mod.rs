//! `cargo xtask demo`: Palisade at work, on real traffic, for a person to watch.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::lab::Lab;
use crate::lab::filter::Filter;
use crate::{clock, exec, isolate, setup, term, workspace};

mod report;
mod step;
mod story;

use report::{Report, ReportFile};
use step::Stage;

/// How to show it.
#[derive(Args)]
pub(crate) struct Options {
    /// Also write the outcome of each step to this file, for programs
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What the outer half tells the half inside the namespaces.
#[derive(Args)]
pub(crate) struct InsideOptions {
    /// Folder with `palisaded` and `palisade`
    #[arg(long)]
    programs: PathBuf,
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Prepares everything, then plays inside fresh namespaces; says whether each step held.
///
/// # Errors
///
/// If something is missing that can't be installed, or the build fails.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let mut file = ReportFile::create(options.json.as_deref())?;
    // Whatever ends this early has not succeeded.
    file.write(&Report::default())?;
    let programs = match prepare() {
        Ok(programs) => programs,
        Err(error) => {
            file.write(&Report::failed("set-up", &error))?;
            return Err(error);
        }
    };
    let myself = env::current_exe().context("can't find this program again")?;
    let mut inside = isolate::bare(myself);
    inside.arg("demo-inside").arg("--programs").arg(programs);
    if let Some(json) = &options.json {
        inside.arg("--json").arg(json);
    }
    let status = inside.status().context("can't start setpriv: is util-linux installed?")?;
    Ok(status.success())
}

fn prepare() -> Result<PathBuf> {
    exec::require_root("the demo")?;
    setup::for_lab()?;
    workspace::build_palisade("release")
}

/// Plays the story; the calling process is the first of its namespaces.
///
/// # Errors
///
/// If the outcome can't be written.
pub(crate) fn run_inside(options: &InsideOptions) -> Result<bool> {
    // Opened before the mounts, which may hide it.
    let mut file = ReportFile::create(options.json.as_deref())?;
    let start = clock::now();
    let mut report = Report::default();
    match set_the_stage(options) {
        Ok(mut stage) => {
            story::play(&mut stage, &mut report, &mut file)?;
            story::summary(&report, start);
        }
        Err(error) => {
            term::line(&format!("the lab can't be set up: {error:#}"));
            report = Report::failed("lab", &error);
        }
    }
    file.write(&report)?;
    Ok(report.ok)
}

fn set_the_stage(options: &InsideOptions) -> Result<Stage> {
    story::introduce();
    isolate::mount_private()?;
    let lab = Lab::set_up()?;
    fs::write(lab.folder().join(POLICY_FILE), "# The built-in policy, which only counts.\n")?;
    let filter = Filter::start(&options.programs, lab.folder(), CONFIG)?;
    Ok(Stage { lab, filter, dropped_before_death: 0 })
}

/// A lab's configuration: limits that a lab can exceed. The mode is left out, to see the default.
const CONFIG: &str = include_str!("palisade.toml");

/// What the configuration calls the classifier's policy.
const POLICY_FILE: &str = "policy.toml";
