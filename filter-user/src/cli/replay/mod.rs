//! `palisade replay`.

mod render;
mod report;

use super::output::{self, Output};
use crate::access_log::Format;
use crate::capture::Hellos;
use crate::classify::decision::policy::Policy;
use crate::classify::rerun::Rerun;
use crate::config::load_policy;
use crate::logs::WholeLog;
use anyhow::Result;
use clap::Args;
use report::Report;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct ReplayArguments {
    /// Captures, which are read as one, by their packets' times. They need the connections'
    /// beginnings, in both directions.
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present = "log")]
    pcap: Vec<PathBuf>,
    /// An access log. `HAProxy`'s times are taken for UTC.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// How the log is written: combined, nginx-json, haproxy, caddy-json or envoy-json; found
    /// out from its first lines if not said.
    #[arg(long, value_name = "FORMAT", value_parser = format, requires = "log")]
    log_format: Option<Format>,
    /// TCP ports of the server whose log it is.
    #[arg(long = "port", value_name = "PORT", num_args = 1.., default_value = "443")]
    ports: Vec<NonZeroU16>,
    /// The policy; the built-in one, which only counts, if none is named.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Take hellos, too, whose senders the capture doesn't show to be who they say: such a one
    /// may be forged. For captures of one direction.
    #[arg(long)]
    unproven: bool,
}

/// Carries the command out. What can't be read, or not to its end, is told, and the exit code
/// is 1.
pub(super) fn run(output: Output, arguments: &ReplayArguments) -> Result<ExitCode> {
    let ReplayArguments { pcap, log, log_format, ports, policy, unproven } = arguments;
    let policy = policy.as_deref().map_or_else(|| Ok(Policy::default()), load_policy)?;
    let mut log = log.as_ref().map(|path| WholeLog::open(path, *log_format)).transpose()?;
    let mut hellos = Hellos::open(pcap);
    let mut rerun = Rerun::new(policy, ports, *unproven);
    let mut decisions = Vec::new();
    output.write(|json, out| {
        let requests = log.iter_mut().flatten();
        rerun.run(hellos.by_ref(), requests, |decision| {
            if json {
                decisions.push(decision);
                return Ok(());
            }
            out.write_all(render::decision(&decision).as_bytes())
        })
    })??;
    let found_format = log_format.is_none();
    let report = Report::new(decisions, &rerun, &hellos, log.as_ref(), ports);
    output.show(&report, |report| render::report(report, found_format, *unproven))?;
    Ok(tell_failures(&hellos, log.as_ref()))
}

fn tell_failures(hellos: &Hellos, log: Option<&WholeLog>) -> ExitCode {
    let of_log = log.and_then(|log| log.failure.as_ref()).map(ToString::to_string);
    let failures: Vec<_> = hellos.failures.iter().map(ToString::to_string).chain(of_log).collect();
    for failure in &failures {
        output::problem(failure);
    }
    ExitCode::from(u8::from(!failures.is_empty()))
}

fn format(text: &str) -> Result<Format, String> {
    let found = Format::ALL.into_iter().find(|format| format.name() == text);
    found.ok_or_else(|| format!("known are {}", Format::ALL.map(Format::name).join(", ")))
}
