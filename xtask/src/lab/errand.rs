//! What a client does, as a line for a shell.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::{CERTIFICATE, Lab, NAME, Process, Site};
use crate::exec;

/// A line for a shell, which has a folder of its own and a limit.
///
/// It finds in the environment: `URL`, `NAME` (the server's), `CERT` (the certificate to
/// trust) and an empty `HOME`, where it begins.
pub(crate) struct Errand {
    shell: Command,
    home: PathBuf,
}

impl Errand {
    /// A line at a site; after `patience_s` seconds it is ended with all that it started.
    ///
    /// # Errors
    ///
    /// If its folder can't be made.
    pub(crate) fn new(
        lab: &Lab,
        site: Site,
        name: &str,
        line: &str,
        patience_s: &str,
    ) -> Result<Self> {
        let home = lab.folder().join("clients").join(name);
        fs::create_dir_all(home.join("tmp"))?;
        let mut shell = site.command("timeout");
        shell.args(["-k", "5", patience_s, "sh", "-c", line]).current_dir(&home);
        // What the user has beside the distribution's programs was found, and will do.
        let own = env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{own}", exec::SYSTEM_PATH));
        shell.env("HOME", &home).env("TMPDIR", home.join("tmp"));
        shell.env("NAME", NAME).env("URL", format!("https://{NAME}/"));
        shell.env("CERT", lab.folder().join(CERTIFICATE));
        Ok(Self { shell, home })
    }

    /// Tells it something more.
    pub(crate) fn told(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.shell.env(name, value);
        self
    }

    /// Starts it. Output goes into a file, which a process that is left over can't hold open.
    ///
    /// # Errors
    ///
    /// If it can't be started.
    pub(crate) fn start(mut self) -> Result<Process> {
        Process::start(&mut self.shell, self.home.join("output"))
    }
}
