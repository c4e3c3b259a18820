//! From segments to verdicts: what hellos tell, and what is done about it.

use super::engine::Engine;
use super::policy::unix_s;
use crate::classify::judgement::Judgement;
use crate::clock::Now;
use crate::fingerprint::Outcome;
use bytes::Bytes;
use filter_common::abi;
use filter_common::abi::hello::{HELLO_TIMEOUT_NS, HelloHead};
use std::collections::HashSet;
use std::net::IpAddr;

/// Hellos that were told to have come to no end, as long as the program still keeps them.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    told: HashSet<(u64, u32, u64)>,
}

impl Unfinished {
    /// Takes the hellos that are unfinished now; those that have been for too long, and
    /// weren't told yet.
    fn look(&mut self, open: Vec<HelloHead>, now_ns: u64) -> Vec<HelloHead> {
        let old = |head: &HelloHead| now_ns.saturating_sub(head.since_ns) > HELLO_TIMEOUT_NS;
        let name = |head: &HelloHead| (head.tag, head.start, head.since_ns);
        let before = std::mem::take(&mut self.told);
        let old: Vec<_> = open.into_iter().filter(old).collect();
        self.told.extend(old.iter().map(name));
        old.into_iter().filter(|head| !before.contains(&name(head))).collect()
    }
}

impl Engine {
    /// Takes in what the program tells of hellos.
    pub(super) fn handle_records(&mut self, records: &[Bytes], now: Now) {
        let mut outcomes = Vec::new();
        for record in records {
            match Outcome::of_record(record) {
                // Without sockets nobody knows whether a hello is a connection's first.
                Ok(outcome) => {
                    let is_first = outcome.is_first || !self.config.classify.require_socket;
                    outcomes.push(Outcome { is_first, ..outcome });
                }
                Err(error) => tracing::error!(%error, "kernel and daemon disagree about records"),
            }
        }
        self.handle_outcomes(&outcomes, now);
    }

    /// What an earlier daemon left unfinished, it has told.
    pub(super) fn forget_unfinished(&mut self, now: Now) {
        if let Some(datapath) = &self.datapath {
            self.unfinished.look(datapath.hellos.open(), now.ktime_ns);
        }
    }

    /// Tells hellos that were never finished.
    pub(super) fn tend_hellos(&mut self, now: Now) {
        let Some(datapath) = &self.datapath else {
            return;
        };
        let proven = self.config.classify.require_socket;
        let ended = self.unfinished.look(datapath.hellos.open(), now.ktime_ns);
        let ended = ended.iter().map(|head| Outcome::of_unfinished(head, now.ktime_ns, proven));
        let outcomes: Vec<_> = ended.collect();
        self.handle_outcomes(&outcomes, now);
    }

    fn handle_outcomes(&mut self, outcomes: &[Outcome], now: Now) {
        for outcome in outcomes {
            self.handle_outcome(outcome, now);
        }
    }

    /// What became of a hello: it is told, and held against its sender if that is proven.
    fn handle_outcome(&mut self, outcome: &Outcome, now: Now) {
        let subject = self.is_watched().then(|| outcome.flow.source.ip().to_string());
        let proven = outcome.proven || !self.config.classify.require_socket;
        let ended = said(outcome.verdict);
        match &outcome.result {
            Ok(hello) => {
                self.hellos.fingerprinted += 1;
                // There may be many.
                if self.is_watched() {
                    let name = hello.sni.as_deref().unwrap_or("no name");
                    let ja4 = &hello.fingerprint.ja4;
                    let text = format!("{ja4} for {name}{ended}{}", unproven(proven));
                    self.tell(now, "hello", subject, text);
                }
            }
            Err(cause) => {
                self.hellos.unfingerprintable += 1;
                let text = format!("a ClientHello could not be put together: {cause}{ended}");
                self.tell(now, "unfingerprintable", subject, text);
            }
        }
        self.access_logs.handle_hello(outcome, proven, now);
        if proven {
            self.handle_proven(outcome, now);
        }
    }

    fn handle_proven(&mut self, outcome: &Outcome, now: Now) {
        if let Ok(hello) = &outcome.result {
            self.learn_ja3(&hello.fingerprint.ja3, outcome.wire, now);
        }
        let address = outcome.flow.source.ip();
        if self.is_allowed(address, now) {
            return;
        }
        let found = self.detector.handle_hello(outcome, now.unix_ms);
        if let Some(judgement) = found.changed
            && self.is_watched()
        {
            let text = format!("{}{}", judgement.class.name(), because(&judgement));
            self.tell(now, "class", Some(address.to_string()), text);
        }
        self.carry_out(&found.decisions, now);
    }

    /// Whether an address is on an allowlist: the classifier decides nothing about it.
    pub(super) fn is_allowed(&self, address: IpAddr, now: Now) -> bool {
        self.policy.allowed_around(&address.into(), unix_s(now)).is_some()
    }
}

/// What a judgement rests on, for people.
fn because(judgement: &Judgement) -> String {
    let signals = judgement.signals.iter();
    let said: Vec<_> =
        signals.map(|fired| format!("{} ({})", fired.name, fired.evidence)).collect();
    if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) }
}

/// What a rule did about a hello.
fn said(verdict: abi::counter::Verdict) -> &'static str {
    match verdict {
        abi::counter::Verdict::DROP => ", dropped by a rule",
        abi::counter::Verdict::RESET => ", reset by a rule",
        abi::counter::Verdict::WOULD_DROP => ", a rule in shadow would have ended it",
        _ => "",
    }
}

const fn unproven(proven: bool) -> &'static str {
    if proven { "" } else { " (sender not proven)" }
}
