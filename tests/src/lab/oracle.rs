//! Somebody else's word on the hellos of a capture.

use super::run;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

/// What was said of a capture.
#[derive(Clone, Debug, Deserialize)]
pub struct Said {
    /// Who said it.
    pub by: String,
    /// Whether that program shares no code with the filter.
    pub independent: bool,
    /// The first hello of each connection, in the order of the capture.
    pub hellos: Vec<Hello>,
}

/// A hello.
#[derive(Clone, Debug, Deserialize)]
pub struct Hello {
    /// Whose it is.
    pub client: String,
    /// Its JA4.
    pub ja4: String,
    /// Its JA3.
    pub ja3: String,
    /// TCP segments that it came in.
    pub segments: u32,
}

impl Said {
    /// Of the hellos that a server got; nothing if there is nobody to ask, for only
    /// `cargo xtask test` brings one.
    ///
    /// *Errors*: the capture can't be read.
    pub fn of(capture: &Path, server: &str) -> Result<Option<Self>> {
        let Some(xtask) = std::env::var_os("PALISADE_XTASK") else {
            return Ok(None);
        };
        let mut ask = Command::new(xtask);
        let outcome = run(ask.args(["lab", "hellos", server]).arg(capture))?.success()?;
        serde_json::from_str(&outcome.stdout).with_context(|| format!("{outcome:?}")).map(Some)
    }

    /// The hellos of a client.
    #[must_use]
    pub fn by_client(&self, address: &str) -> Vec<&Hello> {
        self.hellos.iter().filter(|hello| hello.client == address).collect()
    }
}
