//! The daemon under test, and the command line that asks it.

use super::{Lab, Outcome, run, wait_until};
use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// A running daemon, with folders and pins of its own.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    home: PathBuf,
    pins: PathBuf,
}

/// The folder of the binaries under test.
///
/// *Errors*: there are none.
pub fn binary(name: &str) -> Result<PathBuf> {
    let dir = match std::env::var_os("PALISADE_BIN_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => std::env::current_exe()?.ancestors().nth(2).context("no folder")?.to_owned(),
    };
    let path = dir.join(name);
    anyhow::ensure!(path.exists(), "{} isn't built", path.display());
    Ok(path)
}

impl Daemon {
    /// Starts a daemon on the lab's edge and waits until it answers.
    ///
    /// *Errors*: it doesn't; its log is in the error.
    pub fn start(lab: &Lab, config: &str) -> Result<Self> {
        let home = lab.dir.path().to_owned();
        let pins = pins(lab);
        let child = Self::command(lab, config)?.spawn()?;
        let mut daemon = Self { child, home, pins };
        let answers = wait_until("the daemon answers", || {
            daemon.child.try_wait().is_ok_and(|end| end.is_some())
                || daemon.palisade(&["status"]).is_ok_and(|said| said.code == 0)
        });
        answers.with_context(|| daemon.log())?;
        daemon.palisade(&["status"])?.success().with_context(|| daemon.log())?;
        Ok(daemon)
    }

    /// The same under a policy of the classifier.
    ///
    /// *Errors*: as for [`Daemon::start`].
    pub fn start_with_policy(lab: &Lab, config: &str, policy: &str) -> Result<Self> {
        std::fs::write(lab.dir.path().join("policy.toml"), policy)?;
        Self::start(lab, &format!("{config}\n[classify]\npolicy = \"policy.toml\"\n"))
    }

    /// A daemon that waits to be started, for those that must not.
    ///
    /// *Errors*: its configuration can't be written.
    pub fn command(lab: &Lab, config: &str) -> Result<Command> {
        let home = lab.dir.path();
        let file = home.join("palisade.toml");
        std::fs::write(&file, config)?;
        let mut command = Command::new(binary("palisaded")?);
        command.arg("--interface").arg(&lab.interface).arg("--config").arg(file);
        command.arg("--pin-dir").arg(pins(lab));
        command.arg("--state-dir").arg(home.join("state"));
        command.arg("--run-dir").arg(home.join("run"));
        command.stderr(File::options().create(true).append(true).open(home.join("log"))?);
        Ok(command)
    }

    /// A question that waits to be asked.
    ///
    /// *Errors*: there is no command line.
    pub fn question(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(binary("palisade")?);
        command.arg("--socket").arg(self.socket()).args(arguments);
        Ok(command)
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A list as `palisade list ls` has it.
    ///
    /// *Errors*: there is none.
    pub fn list(&self, name: &str) -> Result<Value> {
        let lists = self.json(&["list", "ls"])?;
        let mut lists = lists.as_array().context("no array")?.iter();
        lists.find(|list| list["name"] == name).cloned().with_context(|| format!("no list {name}"))
    }

    /// Asks it something.
    ///
    /// *Errors*: the command line can't be started.
    pub fn palisade(&self, arguments: &[&str]) -> Result<Outcome> {
        run(&mut self.question(arguments)?)
    }

    /// Tells it something that must be accepted.
    ///
    /// *Errors*: it isn't.
    pub fn must(&self, arguments: &[&str]) -> Result<Outcome> {
        self.palisade(arguments)?.success().with_context(|| format!("palisade {arguments:?}"))
    }

    /// Asks it for JSON.
    ///
    /// *Errors*: it refuses.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        self.must(&[&["--json"], arguments].concat())?.json()
    }

    /// Packets counted under a verdict and a reason.
    ///
    /// *Errors*: it doesn't answer.
    pub fn packets(&self, verdict: &str, reason: &str) -> Result<u64> {
        let status = self.json(&["status"])?;
        let counters = status["counters"].as_array().context("no counters")?;
        let row = counters.iter().find(|row| row["verdict"] == verdict && row["reason"] == reason);
        Ok(row.and_then(|row| row["packets"].as_u64()).unwrap_or(0))
    }

    /// Its control socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.home.join("run/control.sock")
    }

    /// Where it pins.
    #[must_use]
    pub fn pins(&self) -> &Path {
        &self.pins
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }

    /// Ends it at once, as a crash would.
    ///
    /// *Errors*: it can't be signalled.
    pub fn crash(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end, and waits.
    ///
    /// *Errors*: it can't be signalled.
    pub fn stop(mut self) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGTERM)?;
        self.child.wait()?;
        Ok(())
    }

    /// Whether it ends by itself.
    ///
    /// *Errors*: it doesn't.
    pub fn ends(&mut self) -> Result<()> {
        let child = &mut self.child;
        wait_until("the daemon ends", || child.try_wait().is_ok_and(|end| end.is_some()))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a lab's daemon pins: a folder that no other lab has, not even one of another
/// test program on the same bpffs.
fn pins(lab: &Lab) -> PathBuf {
    Path::new("/sys/fs/bpf").join(format!("palisade_{}_{}", std::process::id(), lab.interface))
}
