//! `cargo xtask lab bots`: what the daemon decides about real bots, and about real visitors
//! that come at the same time.
//!
//! A server with its access log, a daemon that enforces, and actors that each have addresses
//! of their own. What was expected of each is held against what the daemon says of it.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::clients::tool;
use crate::lab::Lab;
use crate::lab::filter::Filter;
use crate::{exec, isolate, setup, term, workspace};

mod actor;
mod judge;
mod log;
mod report;
mod scene;
mod told;

use judge::Row;
use scene::Scene;

/// How to print what came of it.
#[derive(Args)]
pub(crate) struct Options {
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// What the outer half tells the half inside the namespaces.
#[derive(Args)]
pub(crate) struct InsideOptions {
    /// The plan, in JSON.
    plan: String,
}

/// Where things are, and how to print what came of it.
#[derive(Deserialize, Serialize)]
struct Plan {
    /// Folder with `palisaded` and `palisade`.
    programs: PathBuf,
    /// Folder with the virtual environment.
    tools: PathBuf,
    json: bool,
}

/// Installs and builds what is needed, lets everybody come, and says whether each was
/// treated as expected.
///
/// # Errors
///
/// If something is missing, or the lab fails.
pub(crate) fn run(options: &Options) -> Result<bool> {
    exec::require_root("the lab")?;
    setup::for_bots()?;
    let tools = tool::folder()?;
    tool::install(&tools, "curl_cffi", "curl_cffi")?;
    let programs = workspace::build_palisade("release")?;
    let plan = Plan { programs, tools, json: options.json };
    let myself = env::current_exe().context("can't find this program again")?;
    let mut inside = isolate::bare(myself);
    inside.args(["lab", "bots-inside", &serde_json::to_string(&plan)?]);
    let status = inside.status().context("can't start setpriv: is util-linux installed?")?;
    Ok(status.success())
}

/// The calling process is the first of its namespaces.
///
/// # Errors
///
/// If the lab fails.
pub(crate) fn inside(options: &InsideOptions) -> Result<bool> {
    let plan: Plan = serde_json::from_str(&options.plan).context("the plan isn't JSON")?;
    isolate::mount_private()?;
    let rows = play(&plan)?;
    report::print(&rows, plan.json)?;
    Ok(rows.iter().all(Row::holds))
}

fn play(plan: &Plan) -> Result<Vec<Row>> {
    term::status("setting up the lab ...");
    let lab = Lab::with_site(SITE)?;
    lab.leave_ipv6()?;
    fs::write(lab.folder().join("policy.toml"), POLICY)?;
    let mut filter = Filter::start(&plan.programs, lab.folder(), CONFIG)?;
    let scene = Scene { lab: &lab, filter: &filter, tools: &plan.tools };
    let rows = scene.play().with_context(|| format!("the daemon's log:\n{}", filter.log()))?;
    filter.stop()?;
    Ok(rows)
}

const SITE: &str = include_str!("nginx.conf");
const CONFIG: &str = include_str!("palisade.toml");
const POLICY: &str = include_str!("policy.toml");
