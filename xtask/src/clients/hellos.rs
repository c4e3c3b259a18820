//! What hellos of a capture are, for tests: they run in namespaces, where nothing can be
//! fetched, and without this crate.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::oracle::Oracle;
use super::tool;
use crate::term;

/// Which capture, and who reads it.
#[derive(Args)]
pub(crate) struct Options {
    /// Who reads it, in JSON.
    #[arg(long, env = ORACLE)]
    oracle: String,
    /// Folder with `palisade`.
    #[arg(long, env = PROGRAMS)]
    programs: PathBuf,
    /// The address that the hellos were sent to.
    server: String,
    /// The file.
    capture: PathBuf,
}

/// Prints the first hello of each connection to the server, and whether whoever read them
/// shares no code with the filter.
pub(super) fn print(options: &Options) -> Result<()> {
    let oracle: Oracle = serde_json::from_str(&options.oracle).context("the oracle isn't JSON")?;
    let hellos = oracle.hellos(&options.capture, &options.server, &options.programs)?;
    let said = json!({
        "by": oracle.name(), "independent": oracle.is_independent(), "hellos": hellos,
    });
    term::line(&said.to_string());
    Ok(())
}

/// This program, as one that others can ask.
pub(crate) struct Referee {
    myself: PathBuf,
    oracle: String,
}

impl Referee {
    /// Fetches what has to be, and says so.
    ///
    /// # Errors
    ///
    /// If there is no folder for it.
    pub(crate) fn prepare() -> Result<Self> {
        let oracle = serde_json::to_string(&Oracle::prepare(&tool::folder()?))?;
        let myself = env::current_exe().context("can't find this program again")?;
        Ok(Self { myself, oracle })
    }

    /// Tells a command where it is: `$PALISADE_XTASK lab hellos SERVER CAPTURE` will do.
    pub(crate) fn tell(&self, command: &mut Command, programs: &Path) {
        command.env(MYSELF, &self.myself).env(ORACLE, &self.oracle).env(PROGRAMS, programs);
    }
}

const MYSELF: &str = "PALISADE_XTASK";
const ORACLE: &str = "PALISADE_ORACLE";
const PROGRAMS: &str = "PALISADE_BIN_DIR";
