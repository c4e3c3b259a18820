//! What a daemon tells to whoever watches.

use super::{Daemon, Lab, Service, wait_until};
use anyhow::Result;
use serde_json::Value;
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

/// The daemon's events, as somebody who watches sees them.
#[derive(Debug)]
pub struct Events {
    file: PathBuf,
    _watch: Service,
}

impl Events {
    /// Starts to watch, and waits until what happens is seen.
    ///
    /// *Errors*: nothing is.
    pub fn of(lab: &Lab, daemon: &Daemon) -> Result<Self> {
        let file = lab.dir.path().join("events");
        let mut watch = daemon.question(&["--json", "watch"])?;
        let watch = Service::start(watch.stdout(Stdio::from(File::create(&file)?)))?;
        let events = Self { file, _watch: watch };
        // A list's event says that somebody listens.
        wait_until("somebody watches", || {
            let _ = daemon.palisade(&["allow", "add", "192.0.2.200"]);
            let _ = daemon.palisade(&["allow", "del", "192.0.2.200"]);
            !events.all().is_empty()
        })?;
        Ok(events)
    }

    /// All so far.
    #[must_use]
    pub fn all(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// What was told of an address under this kind.
    #[must_use]
    pub fn told(&self, kind: &str, subject: &str) -> Vec<String> {
        let of = |event: &&Value| event["kind"] == kind && event["subject"] == subject;
        let all = self.all();
        all.iter().filter(of).filter_map(|event| Some(event["text"].as_str()?.into())).collect()
    }
}
