//! What is on the cable to the server, in a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::clock;
use crate::exec;
use crate::lab::{Process, Site};

/// A capture that goes on.
pub(super) struct Capture {
    tcpdump: Process,
    file: PathBuf,
}

impl Capture {
    /// Starts to capture what is sent to the server, and waits until nothing is missed.
    ///
    /// The router's end of the cable shows each packet as the filter gets it; at the
    /// server's end the kernel has put segments together again.
    ///
    /// # Errors
    ///
    /// If tcpdump doesn't come up.
    pub(super) fn start(folder: &Path, name: &str) -> Result<Self> {
        let (file, log) = (folder.join(format!("{name}.pcap")), folder.join(format!("{name}.log")));
        let program = exec::find("tcpdump").unwrap_or_else(|| "tcpdump".into());
        let mut tcpdump = Site::Net.command(program);
        tcpdump.args(["-i", Site::Edge.name(), "-Z", "root", "--immediate-mode", "-U", "-n"]);
        tcpdump.args(["-B", BUFFER_KIB, "-w"]).arg(&file).arg("tcp dst port 443");
        let mut tcpdump = Process::start(&mut tcpdump, log)?;
        clock::poll("tcpdump listening", READY, || {
            if let Some(status) = tcpdump.ended()? {
                bail!("tcpdump ended with {status}:\n{}", tcpdump.log_tail());
            }
            Ok(tcpdump.log_tail().contains("listening on").then_some(()))
        })?;
        Ok(Self { tcpdump, file })
    }

    /// Ends the capture and gives its file.
    ///
    /// # Errors
    ///
    /// If packets were missed: then nothing can be said.
    pub(super) fn finish(mut self) -> Result<PathBuf> {
        self.tcpdump.terminate(READY)?;
        let said = self.tcpdump.log_tail();
        if !said.contains("\n0 packets dropped by kernel") || fs::metadata(&self.file)?.len() == 0 {
            bail!("the capture isn't whole:\n{said}");
        }
        Ok(self.file)
    }
}

const READY: Duration = Duration::from_secs(10);

/// Enough for a second of a client that measures load.
const BUFFER_KIB: &str = "32768";
