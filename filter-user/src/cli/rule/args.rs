//! What can be typed about rules on `ClientHello`s.

use crate::rule::{Pattern, RuleAction};
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RuleCommand {
    /// Show the rules, and what they were about.
    Ls,
    /// Make a rule, or put it in the place of one on the same.
    ///
    /// It acts on the packet that completes a ClientHello, from the first one on.
    Set {
        /// What it is about: `ja4:t13d1516h2_8daaf6152771_e5627efa2ab1`, where each part may be
        /// `*`; `tls:1.0`; `cause:conflict`; with `@tcp/443` behind it for one service.
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
    /// What happens to the connection.
    #[arg(long, value_enum, default_value = "block")]
    pub(in crate::cli) action: ActionArgument,
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

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum ActionArgument {
    /// Drop the packet and what else comes of the connection; the server waits for it.
    Block,
    /// Hand the server a TCP reset: it frees the connection at once.
    Reset,
}

impl From<ActionArgument> for RuleAction {
    fn from(action: ActionArgument) -> Self {
        match action {
            ActionArgument::Block => Self::Block,
            ActionArgument::Reset => Self::Reset,
        }
    }
}
