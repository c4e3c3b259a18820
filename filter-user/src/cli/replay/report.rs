//! What a replay says, for programs.

use crate::access_log::Format;
use crate::capture::Hellos;
use crate::classify::decision::{Action, Decision, network};
use crate::classify::judgement::{Class, Judgement};
use crate::classify::rerun::Rerun;
use crate::control::api::SignalEntry;
use crate::logs::WholeLog;
use ipnet::IpNet;
use serde::Serialize;
use std::collections::BTreeMap;
use std::num::NonZeroU16;

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// In the order in which they were made.
    pub(super) decisions: Vec<Decision>,
    /// Clients that have said a hello, those first that most speaks against.
    pub(super) clients: Vec<ReplayedClient>,
    pub(super) summary: Summary,
}

/// What is held of a client by its hellos.
#[derive(Debug, Serialize)]
pub(super) struct ReplayedClient {
    pub(super) client: IpNet,
    pub(super) class: Class,
    pub(super) score: u32,
    pub(super) signals: Vec<SignalEntry>,
}

/// How much there was of what.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) packets: u64,
    pub(super) hellos: u64,
    /// Without a fingerprint.
    pub(super) unfingerprintable: u64,
    /// From senders that the capture doesn't show to be who they say.
    pub(super) unproven: u64,
    /// Hellos by the server's port.
    pub(super) hello_ports: BTreeMap<u16, u64>,
    pub(super) log_format: Option<Format>,
    /// The ports whose requests are in the log.
    pub(super) log_ports: Vec<NonZeroU16>,
    pub(super) lines: u64,
    pub(super) malformed: u64,
    /// Which line of the log was the first, and why.
    pub(super) first_malformed: Option<String>,
    pub(super) requests: u64,
    /// Requests whose hello was found.
    pub(super) joined: u64,
    /// Requests that are more than a minute older than what was in front of them.
    pub(super) late: u64,
    /// How many clients are of each class.
    pub(super) classes: BTreeMap<&'static str, u64>,
    /// How many decisions there are of each action.
    pub(super) decisions: BTreeMap<&'static str, u64>,
    /// How many of them only count.
    pub(super) shadow: u64,
}

impl Report {
    pub(super) fn new(
        decisions: Vec<Decision>,
        rerun: &Rerun,
        hellos: &Hellos,
        log: Option<&WholeLog>,
        ports: &[NonZeroU16],
    ) -> Self {
        let clients =
            rerun.clients().map(|(client, held)| ReplayedClient::new(network::of(client), held));
        let mut clients: Vec<_> = clients.collect();
        clients.sort_by_key(|client| std::cmp::Reverse(client.score));
        let mut classes = BTreeMap::new();
        for client in &clients {
            *classes.entry(client.class.name()).or_default() += 1;
        }
        let tally = rerun.tally();
        let made = |action: Action| {
            (action.name(), tally.decisions.get(&action).copied().unwrap_or_default())
        };
        let malformed = log.and_then(|log| log.first_malformed);
        let summary = Summary {
            packets: hellos.packets,
            hellos: tally.hellos,
            unfingerprintable: tally.unfingerprintable,
            unproven: tally.unproven,
            hello_ports: tally.ports.clone(),
            log_format: log.map(|log| log.format),
            log_ports: ports.to_vec(),
            lines: log.map_or(0, |log| log.lines),
            malformed: log.map_or(0, |log| log.malformed),
            first_malformed: malformed.map(|(line, error)| format!("line {line}: {error}")),
            requests: tally.requests,
            joined: tally.joined,
            late: tally.late,
            classes,
            decisions: [Action::Watch, Action::Limit, Action::Block].map(made).into(),
            shadow: tally.shadow,
        };
        Self { decisions, clients, summary }
    }
}

impl ReplayedClient {
    fn new(client: IpNet, held: Judgement) -> Self {
        let Judgement { class, score, signals } = held;
        let signals = signals.into_iter().map(SignalEntry::from).collect();
        Self { client, class, score, signals }
    }
}
