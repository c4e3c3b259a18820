//! From segments to verdicts: what hellos tell, and what is done about it.

use super::engine::{Engine, action_name};
use crate::classify::{HelloSeen, Request, Sanction};
use crate::clock::Now;
use crate::fingerprint::Outcome;
use crate::store::Write;
use crate::verdict::{Verdict, VerdictAction, VerdictSource, client_of, prefix_of};
use bytes::Bytes;
use filter_common::abi::hello::{HELLO_TIMEOUT_NS, HelloHead};
use filter_common::abi::width::VerdictKey;
use filter_common::abi::{self, Mode};
use std::collections::HashSet;

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
                Ok(outcome) => outcomes.push(outcome),
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
        let made = outcomes.iter().filter_map(|outcome| self.handle_outcome(outcome, now));
        let made: Vec<_> = made.collect();
        self.remember(&made);
    }

    /// Writes down verdicts that the classifier made. They are in force already, and
    /// after a crash the kernel still has them.
    fn remember(&mut self, made: &[VerdictKey]) {
        let verdicts = made.iter().filter_map(|key| {
            let verdict = self.verdicts.get(key, 0)?;
            Some(Write::Verdict(prefix_of(key), Some(verdict)))
        });
        let writes: Vec<_> = verdicts.collect();
        if !writes.is_empty()
            && let Err(error) = self.store.commit(writes)
        {
            tracing::error!(%error, "verdicts can't be stored; a reboot would lose them");
        }
    }

    /// What became of a hello. Returns whom a verdict was made about, if one was.
    fn handle_outcome(&mut self, outcome: &Outcome, now: Now) -> Option<VerdictKey> {
        let address = outcome.flow.source.ip();
        let proven = outcome.proven || !self.config.classify.require_socket;
        if proven {
            self.access_logs.handle_hello(outcome, now);
        }
        let hello = match &outcome.result {
            Ok(hello) => hello,
            Err(cause) => {
                self.hellos.unfingerprintable += 1;
                let ended = said(outcome.verdict);
                let text = format!("a ClientHello could not be put together: {cause}{ended}");
                self.tell(now, "unfingerprintable", Some(address.to_string()), text);
                let request = if outcome.proven { self.take_in(outcome, now) } else { None };
                return self.carry_out(request?, now);
            }
        };
        self.hellos.fingerprinted += 1;
        let (ja4, ja3) = (hello.fingerprint.ja4.to_string(), hello.fingerprint.ja3.to_string());
        let sni = hello.sni.as_deref();
        let ended = said(outcome.verdict);
        let text = format!("{ja4} for {}{ended}{}", sni.unwrap_or("no name"), unproven(proven));
        self.tell(now, "hello", Some(address.to_string()), text);
        let client = client_of(address);
        let alpn = hello.alpn.as_deref();
        if proven {
            self.learn_ja3(&hello.fingerprint.ja3, outcome.wire, now);
        }
        let ja4_ro = hello.fingerprint.ja4_ro.as_str();
        let seen = HelloSeen { client, ja4: &ja4, ja4_ro, ja3: &ja3, sni, alpn, proven };
        let known = self.classifier.handle_hello(&seen, now.ktime_ns);
        let shown = if outcome.proven { self.take_in(outcome, now) } else { None };
        // The one that blocks, if one does.
        let requests = known.into_iter().chain(shown);
        let strongest = requests.min_by_key(|request| request.sanction != Sanction::Block);
        self.carry_out(strongest?, now)
    }

    fn carry_out(&mut self, request: Request, now: Now) -> Option<VerdictKey> {
        let Request { client, sanction, lasts, reason } = request;
        let mode = self.config.classify.mode.mode()?;
        let action = match sanction {
            Sanction::Block => VerdictAction::Block,
            Sanction::Throttle => VerdictAction::Throttle,
            Sanction::Watch => return None,
        };
        let source = VerdictSource::Classifier;
        let shadow = mode == Mode::SHADOW;
        let key = VerdictKey::from(client);
        // An operator's word stands, and so does a verdict that does as much or more.
        let expires_unix_ms = now.unix_ms_after(lasts);
        let text = format!("{}: {reason}", action_name(action));
        let verdict = Verdict { action, shadow, source, reason, expires_unix_ms };
        let present = self.verdicts.get(&key, now.unix_ms);
        if present.is_some_and(|present| present.outweighs(&verdict)) {
            return None;
        }
        match self.enforce(key, verdict, now) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                tracing::error!(%error, "the kernel refused a verdict");
                return None;
            }
        }
        self.tell(now, "verdict", Some(prefix_of(&key).to_string()), text);
        Some(key)
    }
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
