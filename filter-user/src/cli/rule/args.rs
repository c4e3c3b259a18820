//! What can be typed about rules on `ClientHello`s.

use crate::rule::{Pattern, RuleAction};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RuleCommand {
    /// Show the rules, and what they were about.
    Ls,
    /// Make a rule, or put it in the place of one on the same.
    ///
    /// It acts on the packet that completes a ClientHello, from the first one on; on a JA3, from
    /// the second.
    Set {
        /// What it is about: `ja4:t13d1516h2_8daaf6152771_e5627efa2ab1`, where each part may be
        /// `*`; `ja3:SUM`; `sni:api.example.com`, `sni:*.example.com` or `sni:none`; `alpn:h2` or
        /// `alpn:none`; `tls:1.0`; `cause:conflict`; `any`. With `@tcp/443` behind it for one
        /// service. A JA4 with `q` in front, or with `@udp/443` behind it, is one of QUIC: `[quic]`
        /// in the configuration says what it does.
        pattern: Pattern,
        #[command(flatten)]
        set: RuleArguments,
    },
    /// Remove a rule.
    Del {
        /// What it is about.
        pattern: Pattern,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RuleArguments {
    /// What happens. `block`: the packet is dropped, and what else comes of the connection; the
    /// server waits for it. `reset`: the server gets a TCP reset and frees the connection at
    /// once. `limit:PROFILE`: the hello is charged to that limit.
    #[arg(long, default_value = "block")]
    pub(in crate::cli) action: RuleAction,
    /// Only count.
    #[arg(long)]
    pub(in crate::cli) shadow: bool,
    /// How long the rule is in force; until it is removed if not said.
    #[arg(long = "for", value_name = "SPAN")]
    pub(in crate::cli) lasts: Option<String>,
    /// Why.
    #[arg(long, default_value = "")]
    pub(in crate::cli) comment: String,
}
