//! What can be typed about limit profiles.

use crate::limit::{
    Counted, LimitAction, LimitKey, QuotaPer, RatePer, Service, ServiceError, Unit,
};
use crate::policy::list::{NameError, check_name};
use clap::{Args, Subcommand, ValueEnum};
use std::num::NonZeroU64;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LimitCommand {
    /// Show the profiles: what they allow, whom they are for, what they let pass and refused.
    Ls,
    /// Show all that is known of a profile, or of each.
    Show {
        /// The profile.
        #[arg(value_parser = name)]
        name: Option<String>,
    },
    /// Make a profile, or change one; what isn't said stays.
    ///
    /// A new profile needs --unit, and --rate or --quota.
    /// A profile applies to the packets of its services, and to the clients of lists that
    /// name it (`palisade list create LIST --action limit:NAME`).
    #[command(after_long_help = EXAMPLES)]
    Set {
        /// Its name: up to 48 of a-z, A-Z, 0-9, `.`, `_` and `-`.
        #[arg(value_parser = name)]
        name: String,
        #[command(flatten)]
        set: Box<SetArguments>,
    },
    /// Remove a profile; what an operator said about one of the configuration's goes back to
    /// that.
    Del {
        /// The profile.
        #[arg(value_parser = name)]
        name: String,
    },
    /// Show the busiest keys and what they use.
    Top(TopArguments),
}

const EXAMPLES: &str = "\
Examples:
  palisade limit set web --unit connections --rate 50/s --burst 200 --service tcp/443
  palisade limit set daily --unit bytes --quota 10GB/day --service tcp/443
  palisade limit set dns --unit packets --rate 20000/s --key service --service udp/53
  palisade limit set partner --unit packets --rate 500/s --burst 1000
  palisade limit set subnets --unit packets --rate 2000/s --key client/24/48 --service any
  palisade limit set web --rate 80/s           # the rest stays
  palisade limit set web --action shadow       # only counts
  palisade limit set partner --service none    # for lists alone";

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(in crate::cli) struct SetArguments {
    /// What is counted: packets, bytes, connections (TCP SYN) or handshakes (TLS
    /// `ClientHello`).
    #[arg(long)]
    pub(in crate::cli) unit: Option<Unit>,
    /// How fast: 100/s, 6000/m, 5/h, 1/d; for bytes also 10MB/s or 512KiB/s.
    #[arg(long)]
    pub(in crate::cli) rate: Option<Counted<RatePer>>,
    /// How many units may come at once, such as 200, or 5MB for bytes; what comes in a
    /// second, if it was never said.
    #[arg(long, value_name = "UNITS")]
    pub(in crate::cli) burst: Option<Counted<NonZeroU64>>,
    /// A hard cap instead of a rate: 10GB/day, 500/hour. A client's window starts with its
    /// first use.
    #[arg(long, conflicts_with_all = ["rate", "burst"])]
    pub(in crate::cli) quota: Option<Counted<QuotaPer>>,
    /// Who is counted: client (an IPv4 address or an IPv6 /64), client/24/56 (prefixes of
    /// these lengths), or service (everybody together).
    #[arg(long)]
    pub(in crate::cli) key: Option<LimitKey>,
    /// Which packets: any, tcp, udp, icmp, tcp/443 or udp/8000-8100; repeat it for more, or
    /// none for no service at all. The services that were there before go.
    #[arg(long = "service", value_name = "SERVICE", value_parser = services)]
    pub(in crate::cli) services: Vec<Option<Service>>,
    /// What happens beyond: drop, reset (the local stack gets a TCP reset instead, and
    /// ends the connection at once), shadow (only counted) or off.
    #[arg(long)]
    pub(in crate::cli) action: Option<LimitAction>,
    /// Whether clients that proved themselves pass first when a service is over its rate.
    #[arg(long)]
    pub(in crate::cli) guard: Option<Switch>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TopArguments {
    /// How many, 10000 at the most.
    #[arg(
        short = 'n', long = "count", value_name = "N", default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub(in crate::cli) count: u32,
    /// Of this profile alone.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(in crate::cli) profile: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Switch {
    /// They do.
    On,
    /// They don't.
    Off,
}

/// A service, or none.
fn services(text: &str) -> Result<Option<Service>, ServiceError> {
    if text == "none" { Ok(None) } else { text.parse().map(Some) }
}

/// A name that fits into a path as it is.
fn name(text: &str) -> Result<String, NameError> {
    check_name(text).map(|()| text.to_owned())
}
