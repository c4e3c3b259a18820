//! Limit profiles for tests: set, sent against, counted.

use crate::lab::{self, Daemon, EDGE, Lab, PEERS};
use anyhow::{Result, ensure};
use serde_json::Value;

/// Sends so many datagrams of 100 bytes on the wire from an address of the peer.
///
/// *Errors*: python refuses.
pub fn send(lab: &Lab, from: &str, port: u16, count: u32) -> Result<()> {
    let text = format!(
        "import socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.bind(('{from}',0))\n\
         for _ in range({count}): s.sendto(b'x'*58,('{EDGE}',{port}))\n"
    );
    lab::run(lab.at_peer("/usr/bin/python3").args(["-c", &text]))?.success().map(drop)
}

/// A lab whose ends know each other's link address, so that what is sent arrives at once.
///
/// *Errors*: there can't be one.
pub fn lab_at_work() -> Result<Lab> {
    let lab = Lab::new()?;
    for peer in PEERS {
        ensure!(lab.pings(peer), "{peer} must pass without a filter");
    }
    Ok(lab)
}

/// A limit profile as `palisade limit show` has it.
///
/// *Errors*: there is none.
pub fn limit(daemon: &Daemon, name: &str) -> Result<Value> {
    daemon.json(&["limit", "show", name])
}

/// Packets that a profile let pass, refused, and would have refused.
///
/// *Errors*: there is no such profile.
pub fn counted(daemon: &Daemon, name: &str) -> Result<[u64; 3]> {
    let limit = limit(daemon, name)?;
    let packets = ["passed", "refused", "would_refuse"].map(|kind| limit[kind]["packets"].as_u64());
    let [Some(passed), Some(refused), Some(would)] = packets else {
        anyhow::bail!("no counters in {limit}");
    };
    Ok([passed, refused, would])
}

/// Makes or changes a limit profile; the line's words have no spaces.
///
/// *Errors*: the daemon refuses.
pub fn set(daemon: &Daemon, line: &str) -> Result<Value> {
    let words: Vec<_> = ["limit", "set"].into_iter().chain(line.split_whitespace()).collect();
    daemon.json(&words)
}
