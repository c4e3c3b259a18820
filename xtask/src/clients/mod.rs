//! `cargo xtask lab clients`: what the filter says of real clients, against what somebody
//! else says of them.
//!
//! Each client fetches a page over TLS from the lab's server, at an ordinary MTU and at one
//! where hellos come in pieces, from an address of its own. A capture of the same cable
//! goes to tshark, and both are compared.

use std::env;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::lab::Lab;
use crate::lab::filter::Filter;
use crate::{bots, isolate, term};

mod capture;
mod hellos;
mod judge;
mod kind;
mod oracle;
mod plan;
mod report;
mod round;
mod told;
pub(crate) mod tool;

pub(crate) use hellos::Referee;
use judge::Row;
use plan::Plan;
use report::Report;
use round::Scene;
use told::Watch;

/// What can be done in the lab beside the demo.
#[derive(Subcommand)]
pub(crate) enum LabCommand {
    /// Hold what the filter says of real clients against tshark, at MTU 1500 and 576
    Clients(Options),
    /// Let real bots and real visitors come, and show what the daemon decides about each
    Bots(bots::Options),
    /// The part that runs inside the lab's namespaces
    #[command(hide = true)]
    BotsInside(bots::InsideOptions),
    /// The part that runs inside the lab's namespaces
    #[command(hide = true)]
    ClientsInside(InsideOptions),
    /// What hellos of a capture are, for a test that holds the filter against it
    #[command(hide = true)]
    Hellos(hellos::Options),
}

/// Which clients, and how to print what came of them.
#[derive(Args)]
pub(crate) struct Options {
    /// A client by its name in the table; can be given several times
    #[arg(long = "client", value_name = "NAME")]
    clients: Vec<String>,
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

/// Does what was asked for, and says whether all is as it has to be.
///
/// # Errors
///
/// If something is missing that the lab can't do without, or the lab fails.
pub(crate) fn run(command: &LabCommand) -> Result<bool> {
    match command {
        LabCommand::Bots(options) => bots::run(options),
        LabCommand::BotsInside(options) => bots::inside(options),
        LabCommand::Clients(options) => prepare(options),
        LabCommand::ClientsInside(options) => {
            let plan = serde_json::from_str(&options.plan).context("the plan isn't JSON")?;
            inside(&plan)
        }
        LabCommand::Hellos(options) => hellos::print(options).map(|()| true),
    }
}

fn prepare(options: &Options) -> Result<bool> {
    let plan = Plan::make(&options.clients, options.json)?;
    let myself = env::current_exe().context("can't find this program again")?;
    let mut inside = isolate::bare(myself);
    inside.args(["lab", "clients-inside", &serde_json::to_string(&plan)?]);
    let status = inside.status().context("can't start setpriv: is util-linux installed?")?;
    Ok(status.success())
}

/// The calling process is the first of its namespaces.
fn inside(plan: &Plan) -> Result<bool> {
    isolate::mount_private()?;
    let rows = play(plan)?;
    let required: Vec<&str> = plan.required.iter().map(String::as_str).collect();
    let problems = judge::problems(&rows, &required, plan.least);
    let ok = problems.is_empty();
    Report::new(plan, &rows, problems).print(plan.json)?;
    Ok(ok)
}

fn play(plan: &Plan) -> Result<Vec<Row>> {
    term::status("setting up the lab ...");
    let lab = Lab::set_up()?;
    lab.leave_ipv6()?;
    let mut filter = Filter::start(&plan.programs, lab.folder(), CONFIG)?;
    let watch = Watch::start(&lab, &filter)?;
    let scene = Scene { plan, lab: &lab, filter: &filter, watch: &watch };
    let rounds = ROUNDS.iter().map(|(mtu, host)| scene.play(*mtu, *host));
    let rows: Vec<Row> = rounds.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    filter.stop()?;
    Ok(in_pairs(rows))
}

/// The rows of a client beside one another, clients in their order.
fn in_pairs(mut rows: Vec<Row>) -> Vec<Row> {
    let names: Vec<&str> = kind::all().map(|kind| kind.name).collect();
    rows.sort_by_key(|row| names.iter().position(|name| *name == row.client));
    rows
}

/// MTU, and the last number of the first client's address: a kernel remembers what it has
/// learnt of an address, so that each gets one for each MTU.
const ROUNDS: [(u16, u8); 2] = [(1500, 11), (576, 141)];

/// It counts and drops nothing: the mode is left out.
const CONFIG: &str = include_str!("palisade.toml");
