//! What can be typed about what is known of clients.

use crate::classify::knowledge::PublicKey;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KnowledgeCommand {
    /// Show how much is known, up to when, and where that came from.
    Show,
    /// Put a newer file in force, at once and for good.
    ///
    /// If keys are named, by `[knowledge]` in the configuration or by --key, one of them must have
    /// signed it with minisign. A file that is older than what is in force is refused.
    Import(ImportArguments),
    /// Go back to what the program was shipped with.
    Reset,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArguments {
    /// The file; `-` is standard input.
    pub(in crate::cli) file: PathBuf,
    /// Its signature; if not said, what is in FILE.minisig.
    #[arg(long, value_name = "FILE.minisig")]
    pub(in crate::cli) signature: Option<PathBuf>,
    /// A public key that must have signed it, as in the second line of `minisign.pub`; can be
    /// given several times, for one of them. None that isn't in the configuration, if any is.
    #[arg(long = "key", value_name = "KEY")]
    pub(in crate::cli) keys: Vec<PublicKey>,
    /// Take it even if it is older than what is in force, or of a day that is yet to come.
    #[arg(long)]
    pub(in crate::cli) force: bool,
}
