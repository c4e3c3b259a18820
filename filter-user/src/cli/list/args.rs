//! What can be typed about lists.

use crate::control::format::FormatChoice;
use crate::policy::list::{ListAction, NameError, check_name};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ListCommand {
    /// Show the lists: what they do, how long they are, what they matched.
    Ls,
    /// Show a list and its first entries.
    Show {
        #[command(flatten)]
        list: ListName,
        #[command(flatten)]
        show: ShowArguments,
    },
    /// Make a list.
    Create(CreateArguments),
    /// Change what a list does; what isn't said stays.
    Set {
        #[command(flatten)]
        list: ListName,
        #[command(flatten)]
        set: SetArguments,
    },
    /// Add every entry of a file; a file with one bad line is refused whole.
    Import {
        #[command(flatten)]
        list: ListName,
        #[command(flatten)]
        import: ImportArguments,
    },
    /// Put a file's entries in the place of those that the list has.
    Replace {
        #[command(flatten)]
        list: ListName,
        #[command(flatten)]
        replace: ReplaceArguments,
    },
    /// Write every entry as a plain list, which `import` takes back.
    Export {
        #[command(flatten)]
        list: ListName,
        /// Where to; written whole or not at all. Standard output if not said, or `-`.
        file: Option<PathBuf>,
    },
    /// Remove a list with its entries; `block` and `allow` are emptied instead.
    Drop {
        #[command(flatten)]
        list: ListName,
    },
    /// Add addresses or prefixes: all or none.
    Add {
        #[command(flatten)]
        list: ListName,
        #[command(flatten)]
        add: AddArguments,
    },
    /// Remove addresses or prefixes: all or none.
    Del {
        #[command(flatten)]
        list: ListName,
        #[command(flatten)]
        del: DelArguments,
    },
}

/// The commands on a list that is there from the start.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BuiltInCommand {
    /// Add addresses or prefixes: all or none.
    Add(AddArguments),
    /// Remove addresses or prefixes: all or none.
    Del(DelArguments),
    /// Show the list and its first entries; with --json up to 100000 of them, in an array.
    List(ShowArguments),
    /// Add every entry of a file; a file with one bad line is refused whole.
    Import(ImportArguments),
    /// Put a file's entries in the place of those that the list has.
    Replace(ReplaceArguments),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ListName {
    /// The list, such as `block`.
    #[arg(value_name = "NAME", value_parser = list_name)]
    pub(in crate::cli) name: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArguments {
    /// How many entries; 1000 if not said, and never more than 100000.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) limit: Option<usize>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CreateArguments {
    /// Its name: up to 48 of a-z, A-Z, 0-9, `.`, `_` and `-`.
    #[arg(value_parser = list_name)]
    pub(in crate::cli) name: String,
    /// What it does with its addresses: allow, block or limit:PROFILE.
    #[arg(long)]
    pub(in crate::cli) action: ListAction,
    /// Only count what it would do.
    #[arg(long)]
    pub(in crate::cli) shadow: bool,
    /// Between lists that say different things of an address, the higher one wins.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub(in crate::cli) priority: i32,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(in crate::cli) struct SetArguments {
    /// What it does with its addresses: allow, block or limit:PROFILE.
    #[arg(long)]
    pub(in crate::cli) action: Option<ListAction>,
    /// Whether it does so, or only counts.
    #[arg(long)]
    pub(in crate::cli) mode: Option<ListMode>,
    /// Between lists that say different things of an address, the higher one wins.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(in crate::cli) priority: Option<i32>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArguments {
    /// The file; `-` is standard input.
    pub(in crate::cli) file: PathBuf,
    /// How it is written: auto, plain, netset, ipset, csv:2, csv:NAME, csv:1-2, json or
    /// json:FIELD.
    #[arg(long, default_value_t)]
    pub(in crate::cli) format: FormatChoice,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReplaceArguments {
    #[command(flatten)]
    pub(in crate::cli) import: ImportArguments,
    /// Take a file that would shrink the list by more than the configuration allows.
    #[arg(long)]
    pub(in crate::cli) force: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AddArguments {
    /// Such as `192.0.2.1`, `192.0.2.0/24` or `2001:db8::/32`.
    #[arg(required = true, value_name = "PREFIX")]
    pub(in crate::cli) prefixes: Vec<String>,
    /// Why.
    #[arg(long, default_value = "")]
    pub(in crate::cli) comment: String,
    /// Only count what they would do, whatever the list does.
    #[arg(long)]
    pub(in crate::cli) shadow: bool,
    /// How long they stay, such as 90s, 10m or 1h 30m; for good if not said.
    #[arg(long = "for", value_name = "SPAN")]
    pub(in crate::cli) lasts: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DelArguments {
    /// As they were added.
    #[arg(required = true, value_name = "PREFIX")]
    pub(in crate::cli) prefixes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ListMode {
    /// It acts.
    Enforce,
    /// It only counts.
    Shadow,
}

/// A name that fits into a path as it is.
fn list_name(text: &str) -> Result<String, NameError> {
    check_name(text).map(|()| text.to_owned())
}
