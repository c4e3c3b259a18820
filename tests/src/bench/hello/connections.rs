//! Real connections for the benchmark's segments: the program asks for the socket that waits
//! for them.

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A connection whose server has heard nothing yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    /// The client's port.
    pub(super) port: u16,
    /// The sequence number that comes next.
    pub(super) next: u32,
    /// What the server has sent so far.
    pub(super) sent: u32,
}

/// Connections on the loopback device, until they are dropped.
#[derive(Debug)]
pub(super) struct Connections {
    process: Child,
    pub(super) all: Vec<Connection>,
}

/// The server's port.
pub(super) const PORT: u16 = 443;
const FIRST: u16 = 20_000;

impl Connections {
    /// Opens so many.
    ///
    /// # Errors
    ///
    /// No Python, no loopback device, or no right to look into sockets.
    pub(super) fn open(count: usize) -> Result<Self> {
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status()?;
        ensure!(up.success(), "the loopback device can't be brought up");
        let numbers = [PORT.to_string(), FIRST.to_string(), count.to_string()];
        let mut process = Command::new("/usr/bin/python3")
            .args(["-c", include_str!("connections.py")])
            .args(numbers)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let told = process.stdout.take().context("no output to read")?;
        let lines = BufReader::new(told).lines().take(count);
        let all: Result<Vec<_>> = lines.map(|line| parse(&line?)).collect();
        let connections = Self { process, all: all? };
        ensure!(connections.all.len() == count, "{} connections", connections.all.len());
        Ok(connections)
    }
}

fn parse(line: &str) -> Result<Connection> {
    let numbers: Vec<&str> = line.split(' ').collect();
    let &[port, next, sent] = numbers.as_slice() else {
        anyhow::bail!("{line:?} is no connection");
    };
    Ok(Connection { port: port.parse()?, next: next.parse()?, sent: sent.parse()? })
}

impl Drop for Connections {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
