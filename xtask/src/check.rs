//! `cargo xtask check`: everything that can be said about the code without running it.

use std::process::Command;

use anyhow::Result;

use crate::clock::{self, Moment};
use crate::{exec, progress, setup, term, tidy, workspace};

/// Runs every check, also after a failure, and says whether all held.
pub(crate) fn run() -> Result<bool> {
    setup::for_build()?;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, mut command) in commands() {
        rows.push(verdict(name, || progress::quietly(name, &mut command).map(|_| true)));
    }
    rows.push(verdict("tidy", tidy::run));
    rows.extend(dependencies());
    term::table(&["check", "result", "time"], &rows);
    Ok(rows.iter().all(|row| row[1] != FAILED))
}

fn commands() -> Vec<(&'static str, Command)> {
    let lints = ["--", "-D", "warnings"];
    let mut format = workspace::cargo();
    format.args(["fmt", "--all", "--check"]);
    let mut clippy = workspace::cargo();
    clippy.args(["clippy", "--all-targets"]).args(lints);
    let mut docs = workspace::cargo();
    docs.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    vec![
        ("format", format),
        ("lints", clippy),
        ("lints of the XDP program", xdp_clippy(&lints)),
        ("docs", docs),
    ]
}

/// The BPF target is built from the library's source, which stable allows only so.
/// A folder of its own keeps both targets' builds from evicting each other.
fn xdp_clippy(lints: &[&str]) -> Command {
    let mut clippy = workspace::cargo();
    clippy
        .args(["clippy", "-p", "filter-ebpf", "--target", "bpfel-unknown-none"])
        .args(["-Z", "build-std=core", "--target-dir", "target/xdp-lints"])
        .args(lints)
        .env("RUSTC_BOOTSTRAP", "1");
    clippy
}

/// Licences, sources and bans need no network; the advisories do.
fn dependencies() -> Vec<Vec<String>> {
    if exec::find("cargo-deny").is_none() {
        return vec![skipped("dependencies", "cargo-deny isn't installed")];
    }
    let offline =
        verdict("dependencies", || deny("dependencies", &["licenses", "sources", "bans"]));
    vec![offline, advisories()]
}

fn advisories() -> Vec<String> {
    let start = clock::now();
    match deny("advisories", &["advisories"]) {
        Err(error) if format!("{error:#}").contains(NO_DATABASE) => {
            skipped("advisories", "their database can't be reached")
        }
        outcome => row("advisories", outcome, start),
    }
}

fn deny(name: &str, checks: &[&str]) -> Result<bool> {
    let mut deny = workspace::cargo();
    deny.args(["deny", "check"]).args(checks);
    progress::quietly(name, &mut deny).map(|_| true)
}

fn skipped(name: &str, reason: &str) -> Vec<String> {
    vec![name.to_owned(), format!("skipped: {reason}"), String::new()]
}

fn verdict(name: &str, check: impl FnOnce() -> Result<bool>) -> Vec<String> {
    let start = clock::now();
    row(name, check(), start)
}

fn row(name: &str, outcome: Result<bool>, start: Moment) -> Vec<String> {
    let held = outcome.unwrap_or_else(|error| {
        term::status(&format!("{error:#}"));
        false
    });
    let result = if held { "ok" } else { FAILED };
    vec![name.to_owned(), result.to_owned(), clock::since(start)]
}

const FAILED: &str = "FAILED";

/// What cargo-deny says when it is offline.
const NO_DATABASE: &str = "failed to fetch advisory database";
