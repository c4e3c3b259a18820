//! Palisade's development commands: `cargo xtask --help`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod bench;
mod bots;
mod check;
mod clients;
mod clock;
mod demo;
mod eval;
mod exec;
mod fuzz;
mod isolate;
mod knowledge;
mod lab;
mod progress;
mod setup;
mod term;
mod test;
mod tidy;
mod vm;
mod workspace;

/// Palisade's development commands.
///
/// Progress goes to standard error, results to standard output.
/// Whatever needs root runs in namespaces of its own and leaves nothing behind.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what building, the demo and the tests need and isn't there yet
    Setup,
    /// Protect a real server from real clients in a lab of namespaces (root)
    Demo(demo::Options),
    /// Run every test: host tests first, then the privileged ones (root)
    Test(test::Options),
    /// Check format, lints, docs, the house rules and dependencies
    Check,
    /// Check the house rules that Cargo can't
    Tidy,
    /// Measure the cost per packet, and what clients lose beside a flood (root)
    Bench(bench::Options),
    /// Look for disagreement and panics with random input, shortly (root)
    Fuzz(fuzz::Options),
    /// Judge the clients of a labelled corpus, each as if it had never been seen
    Eval(eval::Options),
    /// Write the fingerprints of a labelled corpus into the shipped knowledge
    Knowledge(knowledge::Options),
    /// Try the product on older and newer kernels, each in a virtual machine
    Vm(vm::Options),
    /// Try real clients in a lab of namespaces (root)
    #[command(subcommand)]
    Lab(clients::LabCommand),
    /// The part of the demo that runs inside the lab's namespaces
    #[command(hide = true)]
    DemoInside(demo::InsideOptions),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            term::status(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Says whether all that was asked for held; an error means it couldn't be told.
fn run(command: Command) -> Result<bool> {
    match command {
        Command::Setup => setup::everything().map(|()| true),
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Check => check::run(),
        Command::Tidy => tidy::run(),
        Command::Bench(options) => bench::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Eval(options) => eval::run(&options),
        Command::Knowledge(options) => knowledge::run(&options),
        Command::Vm(options) => vm::run(&options),
        Command::Lab(command) => clients::run(&command),
        Command::DemoInside(options) => demo::run_inside(&options),
    }
}
