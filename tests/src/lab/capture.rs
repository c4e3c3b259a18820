//! What the peer sends to the edge, in a file.

use super::{Lab, wait_until};
use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Stdio};

/// A capture that goes on.
#[derive(Debug)]
pub struct Capture {
    tcpdump: Child,
    file: PathBuf,
    log: PathBuf,
}

impl Capture {
    /// Starts to capture what leaves the peer for a port, and waits until nothing is missed.
    ///
    /// Behind the filter the kernel puts segments together again; here each is seen as the
    /// filter gets it.
    ///
    /// *Errors*: tcpdump doesn't come up.
    pub fn start(lab: &Lab, port: u16) -> Result<Self> {
        let (file, log) = (lab.dir.path().join("pcap"), lab.dir.path().join("pcap.log"));
        let mut tcpdump = lab.at_peer("tcpdump");
        tcpdump.args(["-i", "eth0", "-Q", "out", "-Z", "root", "--immediate-mode", "-U", "-n"]);
        tcpdump.arg("-w").arg(&file).arg(format!("tcp dst port {port}"));
        let tcpdump = tcpdump.stdin(Stdio::null()).stderr(File::create(&log)?).spawn()?;
        let capture = Self { tcpdump, file, log };
        wait_until("tcpdump listens", || capture.said().contains("listening on"))
            .with_context(|| capture.said())?;
        Ok(capture)
    }

    /// Ends it and gives the file.
    ///
    /// *Errors*: packets were missed, so that nothing can be said.
    pub fn finish(mut self) -> Result<PathBuf> {
        kill(Pid::from_raw(i32::try_from(self.tcpdump.id())?), Signal::SIGTERM)?;
        self.tcpdump.wait()?;
        let said = self.said();
        ensure!(said.contains("\n0 packets dropped by kernel"), "the capture isn't whole: {said}");
        Ok(self.file.clone())
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.tcpdump.kill();
        let _ = self.tcpdump.wait();
    }
}
