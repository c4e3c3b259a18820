//! Commands that run to their end, with errors that say what failed.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// A command that reads nothing.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

/// Runs a command and gives its standard output.
///
/// # Errors
///
/// If it can't be started or fails; the message has the end of its standard error.
pub(crate) fn stdout_of(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("can't start {}", line_of(command)))?;
    succeeded(command, &output)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Fails if the command did, with the end of what it said.
pub(crate) fn succeeded(command: &Command, output: &Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    // Some say what is wrong on standard output, as `cargo fmt --check` does; but beside a
    // standard error it is something else, such as Cargo's messages for programs.
    let said = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    bail!(
        "{} ended with {}:\n{}",
        line_of(command),
        output.status,
        tail(&String::from_utf8_lossy(said), TAIL_LINES)
    )
}

/// Whether the command runs and succeeds; what it says is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Where a program is: on the path, or where the system keeps its own.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = SYSTEM_PATH.split(':').map(PathBuf::from);
    let mut folders = env::split_paths(&path).chain(system);
    folders.find_map(|folder| Some(folder.join(program)).filter(|file| file.is_file()))
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Refuses to go on without root, naming the way out.
pub(crate) fn require_root(purpose: &str) -> Result<()> {
    let owner = fs::metadata("/proc/self").context("no /proc: is it mounted?")?.uid();
    if owner == 0 {
        return Ok(());
    }
    bail!(
        "{purpose} needs root (namespaces, BPF programs): \
         sudo -E env \"HOME=$HOME\" \"PATH=$PATH\" cargo xtask ..."
    )
}

fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

/// Where a distribution installs programs; a user's own path may lack the `sbin` ones.
pub(crate) const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Enough for a compiler error with its context.
const TAIL_LINES: usize = 60;
