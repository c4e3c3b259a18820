//! What can be typed.

use super::fingerprint::args::FingerprintCommand;
use super::knowledge::args::KnowledgeCommand;
use super::limit::args::LimitCommand;
use super::list::args::{BuiltInCommand, ListCommand};
use super::pardon::{self, ExceptionCommand};
use super::policy::PolicyCommand;
use super::replay::ReplayArguments;
use super::rule::args::RuleCommand;
use crate::config::{DEFAULT_PATH, HostMode};
use crate::control::DEFAULT_SOCKET;
use crate::fingerprint::Ja4;
use crate::verdict::{Target, TargetError, VerdictAction};
use clap::{Parser, Subcommand, ValueEnum};
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Asks and commands the Palisade daemon.
#[derive(Debug, Parser)]
#[command(name = "palisade", version, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The daemon's control socket.
    #[arg(long, global = true, env = "PALISADE_SOCKET", default_value = DEFAULT_SOCKET)]
    pub(super) socket: PathBuf,
    /// Print JSON for programs instead of tables for people.
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no daemon.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// What the filter is doing: interfaces, mode, counters.
    Status,
    /// Lists of prefixes, any number of them, and what each does.
    #[command(subcommand)]
    List(ListCommand),
    /// Limit profiles: what clients and services may use, and who uses it.
    #[command(subcommand)]
    Limit(LimitCommand),
    /// The blocklist, which is the list `block`: prefixes that are dropped.
    #[command(subcommand)]
    Block(BuiltInCommand),
    /// The allowlist, which is the list `allow`: prefixes that always pass.
    #[command(subcommand)]
    Allow(BuiltInCommand),
    /// What was decided about clients (IPv4 addresses, IPv6 /64s) and prefixes around them.
    #[command(subcommand)]
    Verdict(VerdictCommand),
    /// TLS fingerprints: those that were seen, rules on them, and those in captures.
    #[command(subcommand)]
    Fingerprint(FingerprintCommand),
    /// Rules on `ClientHello`s: on a fingerprint, on parts of it, or on why there is none.
    #[command(subcommand)]
    Rule(RuleCommand),
    /// What is known of browsers, libraries and tools before they were seen.
    #[command(subcommand)]
    Knowledge(KnowledgeCommand),
    /// What happens to an address and why; or what is known of a fingerprint, and what follows.
    Explain {
        /// An address, or a JA4.
        #[arg(value_name = "ADDRESS|JA4")]
        about: About,
    },
    /// Lift what the classifier decided about somebody, and forget what led to it.
    Forgive {
        /// An address, a prefix or a JA4. What is in force around an address is lifted too.
        #[arg(value_name = "ADDRESS|PREFIX|JA4", value_parser = pardon::whom)]
        whom: String,
    },
    /// Lift it, and have the classifier decide nothing about it from now on.
    ReportFalsePositive {
        /// An address, a prefix or a JA4.
        #[arg(value_name = "ADDRESS|PREFIX|JA4", value_parser = pardon::whom)]
        whom: String,
        /// Why, for those who come later.
        #[arg(long, default_value = "")]
        reason: String,
        /// How long, such as 30d; until it is taken back if not said.
        #[arg(long = "for", value_name = "SPAN")]
        lasts: Option<String>,
    },
    /// Whom the classifier decides nothing about, as operators said.
    #[command(subcommand)]
    Exception(ExceptionCommand),
    /// What follows from what clients are and do.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Hold the classifier against captures and access logs: what it would have decided, and
    /// why. Needs no daemon.
    Replay(ReplayArguments),
    /// What happens, as it happens.
    Watch,
    /// Whether rules act or only count.
    Mode {
        /// Which.
        mode: ModeArgument,
    },
    /// The configuration file.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Take the filter off every interface and remove its pins. Lists stay on disk.
    Detach {
        /// The pins to remove if no daemon runs.
        #[arg(long, default_value = "/sys/fs/bpf/palisade")]
        pins: PathBuf,
    },
}

/// What is to be explained.
#[derive(Clone, Debug)]
pub(super) enum About {
    Address(IpAddr),
    Fingerprint(Ja4),
}

impl FromStr for About {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        text.parse().map(Self::Fingerprint).map_err(|_| {
            "neither an address, such as 192.0.2.7, nor a JA4, such as \
             t13d1516h2_8daaf6152771_e5627efa2ab1"
                .to_owned()
        })
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum VerdictCommand {
    /// Show the verdicts in force.
    List,
    /// Decide about a client, or about a prefix.
    Add {
        /// An address of the client (in IPv6 its whole /64 is meant), or a prefix: /32 or
        /// /24 in IPv4; /128, /64, /56 or /48 in IPv6.
        #[arg(value_name = "ADDRESS-OR-PREFIX", value_parser = target)]
        target: String,
        /// What to do.
        action: ActionArgument,
        /// How long, such as 90s, 10m or 1h 30m.
        #[arg(long = "for", value_name = "SPAN")]
        lasts: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
        /// Only count what would be dropped.
        #[arg(long)]
        shadow: bool,
    },
    /// Lift what was decided about a client or a prefix.
    Del {
        /// An address of the client, or the prefix.
        #[arg(value_name = "ADDRESS-OR-PREFIX", value_parser = target)]
        target: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Read a file as the daemon would, and say what is wrong with it.
    Check {
        /// The file.
        #[arg(default_value = DEFAULT_PATH)]
        file: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ModeArgument {
    /// Every rule only counts.
    Monitor,
    /// Rules act.
    Enforce,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ActionArgument {
    /// Drop every packet.
    Block,
    /// Hold the client to the throttle limit.
    Throttle,
}

/// Whom a verdict can be about, as it was typed: the daemon has something to say about it.
fn target(text: &str) -> Result<String, TargetError> {
    text.parse::<Target>().map(|_| text.to_owned())
}

impl From<ModeArgument> for HostMode {
    fn from(mode: ModeArgument) -> Self {
        match mode {
            ModeArgument::Monitor => Self::Monitor,
            ModeArgument::Enforce => Self::Enforce,
        }
    }
}

impl From<ActionArgument> for VerdictAction {
    fn from(action: ActionArgument) -> Self {
        match action {
            ActionArgument::Block => Self::Block,
            ActionArgument::Throttle => Self::Throttle,
        }
    }
}
