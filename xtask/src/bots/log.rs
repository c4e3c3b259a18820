//! The server's log: when each address asked, and what it was answered.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::clock;
use crate::lab::Lab;
use crate::lab::filter::Filter;

/// What an address asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Asked {
    /// When it was first answered, in milliseconds since 1970.
    pub(super) first_ms: u64,
    /// Requests that the server has answered.
    pub(super) requests: usize,
}

/// All that the server has written down, by address.
pub(super) fn read(lab: &Lab) -> Result<BTreeMap<String, Asked>> {
    let log = lab.folder().join("access.json");
    let text = fs::read_to_string(log).context("can't read the server's log")?;
    Ok(parse(&text))
}

/// Waits until the daemon reads the log; gives how many lines it won't look at.
pub(super) fn wait_for_reader(lab: &Lab, filter: &Filter) -> Result<usize> {
    clock::poll("the daemon reading the log", PATIENCE, || {
        let log = status(filter)?;
        Ok((log.state == "reading").then_some(()))
    })?;
    lines(lab)
}

/// Waits until the daemon has made something of each line but the first `old` ones.
pub(super) fn wait_until_read(lab: &Lab, filter: &Filter, old: usize) -> Result<()> {
    clock::poll("the daemon having read the whole log", PATIENCE, || {
        let log = status(filter)?;
        let done = log.matched + log.unmatched + log.malformed + log.lost;
        Ok((done + old >= lines(lab)?).then_some(()))
    })
}

fn lines(lab: &Lab) -> Result<usize> {
    Ok(read(lab)?.values().map(|asked| asked.requests).sum())
}

fn status(filter: &Filter) -> Result<Log> {
    let status: Status = filter.ask(&["status"])?;
    status.logs.into_iter().next().context("the daemon has no log")
}

fn parse(text: &str) -> BTreeMap<String, Asked> {
    let mut asked: BTreeMap<String, Asked> = BTreeMap::new();
    for line in text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
        let entry = asked.entry(line.remote_addr).or_default();
        if entry.requests == 0 {
            entry.first_ms = milliseconds(&line.msec);
        }
        entry.requests += 1;
    }
    asked
}

/// nginx writes seconds with three places.
fn milliseconds(msec: &str) -> u64 {
    msec.replace('.', "").parse().unwrap_or_default()
}

#[derive(Deserialize)]
struct Line {
    msec: String,
    remote_addr: String,
}

#[derive(Deserialize)]
struct Status {
    logs: Vec<Log>,
}

#[derive(Deserialize)]
struct Log {
    state: String,
    matched: usize,
    unmatched: usize,
    malformed: usize,
    lost: usize,
}

const PATIENCE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_address_from_the_first_one_on() {
        let line = |msec: &str, from: &str| {
            format!("{{\"msec\":\"{msec}\",\"remote_addr\":\"{from}\"}}\n")
        };
        let log = line("1.500", "a") + &line("2.000", "b") + &line("2.250", "a") + "{\"msec\"";
        let asked = parse(&log);
        assert_eq!(asked["a"], Asked { first_ms: 1500, requests: 2 });
        assert_eq!(asked["b"], Asked { first_ms: 2000, requests: 1 });
    }
}
