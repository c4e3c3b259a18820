//! `cargo xtask check`: everything that can be said about the code without running it.

use std::process::Command;

use anyhow::Result;

use crate::clock;
use crate::{exec, progress, setup, term, tidy, workspace};

/// Runs every check, also after a failure, and says whether all held.
pub(crate) fn run() -> Result<bool> {
    setup::for_build()?;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, mut command) in commands() {
        rows.push(verdict(name, || {
            progress::quietly(name, &mut command).map(|_| true)
        }));
    }
    rows.push(verdict("tidy", tidy::run));
    rows.push(dependencies());
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
    docs.args(["doc", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings");
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
        .args([
            "clippy",
            "-p",
            "filter-ebpf",
            "--target",
            "bpfel-unknown-none",
        ])
        .args(["-Z", "build-std=core", "--target-dir", "target/xdp-lints"])
        .args(lints)
        .env("RUSTC_BOOTSTRAP", "1");
    clippy
}

fn dependencies() -> Vec<String> {
    if exec::find("cargo-deny").is_none() {
        let skipped = "skipped: cargo-deny isn't installed";
        return vec!["dependencies".to_owned(), skipped.to_owned(), String::new()];
    }
    let mut deny = workspace::cargo();
    deny.args(["deny", "check"]);
    verdict("dependencies", || {
        progress::quietly("dependencies", &mut deny).map(|_| true)
    })
}

fn verdict(name: &str, check: impl FnOnce() -> Result<bool>) -> Vec<String> {
    let start = clock::now();
    let held = check().unwrap_or_else(|error| {
        term::status(&format!("{error:#}"));
        false
    });
    let result = if held { "ok" } else { FAILED };
    vec![name.to_owned(), result.to_owned(), clock::since(start)]
}

const FAILED: &str = "FAILED";
