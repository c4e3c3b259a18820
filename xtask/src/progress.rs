//! Long commands run quietly, with a line when they begin, end and still go on.

use std::process::{Command, Output};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::{clock, exec, term};

/// Runs a long command under a name for people and gives what it printed.
///
/// # Errors
///
/// If it can't be started or fails; the message has the end of what it said.
pub(crate) fn quietly(name: &str, command: &mut Command) -> Result<String> {
    let start = clock::now();
    let output = output(name, command)?;
    exec::succeeded(command, &output).with_context(|| format!("{name} failed"))?;
    term::status(&format!("{name}: done in {}", clock::since(start)));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a long command under a name for people and gives what became of it.
///
/// # Errors
///
/// If it can't be started.
pub(crate) fn output(name: &str, command: &mut Command) -> Result<Output> {
    term::status(&format!("{name} ..."));
    with_heartbeat(name, || command.output())
        .with_context(|| format!("{name}: can't start {}", command.get_program().display()))
}

/// Does `work` while another thread says now and then that it still goes on.
fn with_heartbeat(
    name: &str,
    work: impl FnOnce() -> std::io::Result<Output>,
) -> std::io::Result<Output> {
    let start = clock::now();
    let (done, waiting) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            while waiting.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                term::status(&format!("{name}: {:.0} s ...", start.elapsed().as_secs_f32()));
            }
        });
        let output = work();
        drop(done);
        output
    })
}

/// Often enough that nobody thinks it hangs, rarely enough for a log.
const HEARTBEAT: Duration = Duration::from_secs(15);
