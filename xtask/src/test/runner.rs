//! Runs one test executable, shows what it says and counts.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::tally::{Reader, Tally};
use crate::clients::Referee;
use crate::clock::{self, Moment};
use crate::workspace::{self, Executable};
use crate::{isolate, term};

/// Runs a test that needs no privileges, as Cargo would.
pub(super) fn on_host(test: &Executable, filter: Option<&str>) -> Result<Tally> {
    let command = crate::exec::command(&test.path);
    run(in_package(command, test).args(filter))
}

/// What privileged tests are given.
pub(super) struct Given {
    /// The folder with the daemon and the command line.
    pub(super) programs: PathBuf,
    /// Somebody else's word on hellos.
    pub(super) referee: Referee,
}

/// Runs a privileged test in namespaces of its own, one test at a time.
pub(super) fn isolated(test: &Executable, given: &Given, filter: Option<&str>) -> Result<Tally> {
    let command = isolate::command(&test.path);
    let mut command = in_package(command, test);
    given.referee.tell(&mut command, &given.programs);
    run(command.args(["--test-threads=1", "--show-output"]).args(filter))
}

/// Runs the examples in a package's docs.
pub(super) fn docs(package: &str, filter: Option<&str>) -> Result<Tally> {
    term::line(&format!("\n== {package} (docs)"));
    let mut cargo = workspace::cargo();
    run(cargo.args(["test", "--quiet", "--doc", "-p", package, "--"]).args(filter))
}

fn in_package(mut command: Command, test: &Executable) -> Command {
    command.current_dir(&test.package).env("CARGO_MANIFEST_DIR", &test.package);
    command
}

/// Shows the output as it comes; a program that dies or hangs counts as one failure.
fn run(command: &mut Command) -> Result<Tally> {
    let name = command.get_program().to_owned();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("can't start {}", name.display()))?;
    let output = child.stdout.take().context("the test has no output")?;
    let mut reader = Reader::default();
    let finished = follow(output, |line| {
        term::line(line);
        reader.handle_line(line);
    });
    if !finished {
        term::line(&format!("stopped after {} minutes", LIMIT.as_secs() / 60));
        child.kill()?;
    }
    let status = child.wait()?;
    let tally = reader.tally().filter(|tally| finished && (status.success() || tally.failed > 0));
    Ok(tally.unwrap_or_else(|| reader.tally().unwrap_or_default() + Tally::BROKEN))
}

/// Hands over each line until the end, or until the limit; says whether the end came.
fn follow(output: impl std::io::Read + Send + 'static, mut handle: impl FnMut(&str)) -> bool {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    let start = clock::now();
    loop {
        match lines.recv_timeout(left(start)) {
            Ok(line) => handle(&line),
            Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => return false,
        }
    }
}

fn left(start: Moment) -> Duration {
    LIMIT.saturating_sub(start.elapsed())
}

/// Most that one test executable may take before it is stopped.
const LIMIT: Duration = Duration::from_mins(8);
