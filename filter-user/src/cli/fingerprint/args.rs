//! What can be typed about fingerprints.

use crate::capture::EngineKind;
use crate::cli::rule::args::RuleArguments;
use crate::fingerprint::Ja4;
use crate::rule::Pattern;
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum FingerprintCommand {
    /// Show the fingerprints that are remembered, most hellos first.
    #[command(alias = "ls")]
    List,
    /// Show all that is known of one: its forms, how often and how it came, rules.
    Show {
        /// The JA4, such as `t13d1516h2_8daaf6152771_e5627efa2ab1`.
        ja4: Ja4,
    },
    /// Show those with the most of something.
    Top {
        /// How many.
        #[arg(long, default_value_t = 10)]
        count: usize,
        /// Of what.
        #[arg(long, value_enum, default_value = "hellos")]
        by: TopBy,
    },
    /// Give a fingerprint a name of your own; an empty one takes it away.
    Label {
        /// The JA4.
        ja4: Ja4,
        /// The name.
        label: String,
    },
    /// Write all that is remembered as CSV, or as JSON with --json.
    Export,
    /// End each connection with this fingerprint: `palisade rule set ja4:JA4`.
    Block {
        /// The fingerprint, such as `t13d1516h2_8daaf6152771_e5627efa2ab1`.
        #[arg(value_parser = Pattern::ja4)]
        ja4: Pattern,
        #[command(flatten)]
        set: RuleArguments,
    },
    /// Remove such a rule.
    Unblock {
        /// The fingerprint.
        #[arg(value_parser = Pattern::ja4)]
        ja4: Pattern,
    },
    /// Fingerprint every `ClientHello` in pcap and pcapng files. Needs no daemon.
    Pcap {
        /// Captures.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Where the packet path runs: here, or in the kernel (needs root).
        #[arg(long, value_enum, default_value = "host")]
        engine: EngineArgument,
    },
}

/// What the top of the fingerprints is ordered by.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum TopBy {
    /// Hellos.
    Hellos,
    /// Distinct clients.
    Clients,
    /// Distinct wire orders.
    Orders,
    /// Hellos that rules have ended, or would have.
    Ended,
    /// Hellos for each client.
    PerClient,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum EngineArgument {
    /// Here.
    Host,
    /// In the XDP program.
    Kernel,
}

impl From<EngineArgument> for EngineKind {
    fn from(engine: EngineArgument) -> Self {
        match engine {
            EngineArgument::Host => Self::Host,
            EngineArgument::Kernel => Self::Kernel,
        }
    }
}
