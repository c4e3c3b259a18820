//! Hellos over QUIC: told and counted, and held against an address only if an operator wants
//! that, since anybody can have written it.

use super::engine::{Engine, action_name};
use crate::clock::Now;
use crate::config::HostMode;
use crate::control::api;
use crate::fingerprint::Hello;
use crate::quic::{Assembler, Datagram, Outcome};
use crate::rule::{HelloRule, Match, Pattern};
use crate::verdict::{Verdict, VerdictAction, VerdictSource, address_of, prefix_of};
use aya::maps::MapError;
use bytes::Bytes;
use filter_common::abi::counter::Counters;
use filter_common::abi::quic::DatagramBudget;
use filter_common::abi::width::{VerdictKey, Width};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

/// How long an address is blocked after a hello that a rule is about.
const LASTS: Duration = Duration::from_mins(1);

/// Addresses that are blocked at once because of hellos over QUIC. One more isn't, which is
/// counted: who forges hellos can't take all the room there is for verdicts.
const MAX_BLOCKED: usize = 4096;

/// Events of hellos over QUIC in one turn of the clock. Further ones are only counted: who forges
/// hellos can't drown what else happens.
const MAX_TOLD: u32 = 200;

/// What the daemon knows of QUIC clients.
#[derive(Debug, Default)]
pub(super) struct QuicHellos {
    assembler: Assembler,
    /// Addresses that rules have blocked, and until when.
    blocked: HashMap<VerdictKey, u64>,
    /// Events since the last turn of the clock.
    told: u32,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    fingerprinted: u64,
    unfingerprintable: u64,
    bad_checksum: u64,
    untold: u64,
    refused: u64,
}

impl QuicHellos {
    /// Whether there is room to block one more address.
    fn has_room(&self, key: &VerdictKey) -> bool {
        self.blocked.len() < MAX_BLOCKED || self.blocked.contains_key(key)
    }

    /// Whether a verdict that has ended was made here; its end isn't told.
    pub(super) fn forgets(&mut self, key: &VerdictKey) -> bool {
        self.blocked.remove(key).is_some()
    }
}

impl Engine {
    /// Says how many datagrams the program may copy.
    pub(super) fn write_quic_budget(&mut self) -> Result<(), MapError> {
        let budget = DatagramBudget::new(self.config.quic.datagrams_per_sec);
        self.datapath.as_mut().map_or(Ok(()), |datapath| datapath.budget.set(budget))
    }

    /// Takes in datagrams that the program copied.
    pub(super) fn handle_datagrams(&mut self, records: &[Bytes], now: Now) {
        for record in records {
            match Datagram::of_record(record) {
                Ok(Some(datagram)) => self.quic.assembler.handle_datagram(&datagram),
                Ok(None) => self.quic.counts.bad_checksum += 1,
                Err(error) => tracing::error!(%error, "kernel and daemon disagree about datagrams"),
            }
        }
        self.handle_quic_outcomes(now);
    }

    /// Gives up hellos that were never finished.
    pub(super) fn tend_quic(&mut self, now: Now) {
        self.quic.told = 0;
        // What an operator has lifted meanwhile; the others go with their verdicts.
        self.quic.blocked.retain(|_, until| *until + 10_000 > now.unix_ms);
        self.quic.assembler.expire(now.ktime_ns);
        self.handle_quic_outcomes(now);
    }

    fn handle_quic_outcomes(&mut self, now: Now) {
        while let Some(outcome) = self.quic.assembler.poll_outcome() {
            let address = outcome.flow.source.ip();
            match &outcome.result {
                Ok(hello) => self.handle_quic_hello(&outcome, hello, now),
                Err(cause) => {
                    self.quic.counts.unfingerprintable += 1;
                    let text =
                        format!("a ClientHello over QUIC could not be put together: {cause}");
                    self.tell_quic(now, "unfingerprintable", address.to_string(), text);
                }
            }
        }
    }

    fn handle_quic_hello(&mut self, outcome: &Outcome, hello: &Hello, now: Now) {
        self.quic.counts.fingerprinted += 1;
        let ja4 = hello.fingerprint.ja4.to_string();
        let address = outcome.flow.source.ip();
        let port = outcome.flow.destination.port();
        let matches = self.rules.about_quic(&ja4, port, now.unix_ms);
        let name = hello.sni.as_deref().unwrap_or("no name");
        let mut text =
            format!("{ja4} for {name} over QUIC {} (sender not proven)", outcome.version);
        for found in &matches {
            let _ = write!(text, "; rule {}", found.pattern);
        }
        self.tell_quic(now, "hello", address.to_string(), text);
        for found in &matches {
            let ended = self.config.quic.verdicts && self.block(address, found, now);
            self.count_quic_rule(found.number, ended);
        }
    }

    fn count_quic_rule(&mut self, number: u32, ended: bool) {
        let Some(datapath) = &mut self.datapath else {
            return;
        };
        if let Err(error) = datapath.rules.count(number, ended) {
            tracing::warn!(%error, "a rule's counter can't be written");
        }
    }

    /// Blocks exactly this address for a while. `true` if that acts.
    fn block(&mut self, address: IpAddr, found: &Match, now: Now) -> bool {
        let key = Width::HOST.key(&address_of(address));
        let action = VerdictAction::Block;
        let verdict = Verdict {
            action,
            shadow: found.shadow,
            source: VerdictSource::FingerprintRule,
            reason: format!("rule {} on a hello over QUIC", found.pattern),
            expires_unix_ms: now.unix_ms_after(LASTS),
        };
        let present = self.verdicts.holding(address, now.unix_ms);
        if present.iter().any(|(at, present)| stands(present, &verdict, *at == key)) {
            return false;
        }
        if !self.quic.has_room(&key) {
            self.quic.counts.refused += 1;
            return false;
        }
        let (until, shadow) = (verdict.expires_unix_ms, verdict.shadow);
        let text = format!("{}: {}", action_name(action), verdict.reason);
        match self.enforce(key, verdict, now) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(error) => {
                tracing::error!(%error, "the kernel refused a verdict");
                return false;
            }
        }
        if self.quic.blocked.insert(key, until).is_none() {
            self.tell_quic(now, "verdict", prefix_of(&key).to_string(), text);
        }
        !shadow && self.mode() == HostMode::Enforce
    }

    fn tell_quic(&mut self, now: Now, kind: &str, subject: String, text: String) {
        if self.quic.told < MAX_TOLD {
            self.quic.told += 1;
            self.tell(now, kind, Some(subject), text);
        } else {
            self.quic.counts.untold += 1;
        }
    }

    pub(super) fn report_quic(&self, counters: &Counters) -> api::Quic {
        let Counts { fingerprinted, unfingerprintable, bad_checksum, untold, refused } =
            self.quic.counts;
        api::Quic {
            ports: self.config.quic.ports.clone(),
            verdicts: self.config.quic.verdicts,
            copied: counters.datagrams_copied,
            over_budget: counters.datagrams_over_budget,
            lost: counters.datagrams_lost,
            bad_checksum,
            foreign: self.quic.assembler.counts().foreign,
            fingerprinted,
            unfingerprintable,
            untold,
            verdicts_refused: refused,
        }
    }

    /// What an operator should know about a rule on hellos over QUIC that he made.
    pub(super) fn quic_notes(&self, pattern: &Pattern, rule: &HelloRule) -> Vec<String> {
        let quic = &self.config.quic;
        let effect = match (quic.verdicts, rule.shadow) {
            (false, _) => "counted only, as long as `verdicts` isn't true in [quic]",
            (true, true) => "counted only",
            (true, false) => "blocks the sender's address for a minute, from the next hello on",
        };
        let forged = "anybody can send a hello over QUIC from any address: rules on them can be \
                      made to hit others";
        let mut notes = vec![format!("{pattern}: {effect}"), forged.to_owned()];
        let is_seen = pattern.port.map_or(!quic.ports.is_empty(), |port| {
            quic.ports.iter().any(|named| named.get() == port)
        });
        if !is_seen {
            notes.push("no such hello is looked at: name its port in `ports` of [quic]".into());
        }
        notes
    }
}

/// Whether what is decided about an address already stands against a verdict that a rule on
/// QUIC would make: an operator's word, whatever prefix it is about, and on the address itself
/// what lasts longer, or acts where the rule doesn't.
const fn stands(present: &Verdict, verdict: &Verdict, is_same: bool) -> bool {
    let is_operators = matches!(present.source, VerdictSource::Operator);
    let is_longer = present.expires_unix_ms > verdict.expires_unix_ms;
    let is_stricter = !present.shadow && verdict.shadow;
    is_operators || is_same && (is_longer || is_stricter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(source: VerdictSource, shadow: bool, expires_unix_ms: u64) -> Verdict {
        let action = VerdictAction::Block;
        Verdict { action, shadow, source, reason: String::new(), expires_unix_ms }
    }

    #[test]
    fn a_rule_gives_way_to_operators_and_to_what_lasts_longer() {
        use VerdictSource::{Classifier, FingerprintRule, Operator};
        let (acts, shadow) =
            (verdict(FingerprintRule, false, 60), verdict(FingerprintRule, true, 60));
        let rows = [
            ("an operator's, however short", verdict(Operator, true, 1), &acts, true, true),
            ("an operator's on a wider prefix", verdict(Operator, false, 1), &acts, false, true),
            ("a longer one", verdict(Classifier, false, 61), &acts, true, true),
            ("a longer one in shadow", verdict(Classifier, true, 61), &acts, true, true),
            ("a longer one on a wider prefix", verdict(Classifier, false, 61), &acts, false, false),
            ("a shorter one", verdict(Classifier, false, 59), &acts, true, false),
            ("its own from before", verdict(FingerprintRule, false, 30), &acts, true, false),
            ("one that acts, for a shadow", verdict(Classifier, false, 59), &shadow, true, true),
            ("a shadow, for a shadow", verdict(FingerprintRule, true, 30), &shadow, true, false),
        ];
        for (name, present, made, is_same, expected) in rows {
            assert_eq!(stands(&present, made, is_same), expected, "{name}");
        }
    }

    #[test]
    fn only_so_many_addresses_are_blocked() {
        let mut quic = QuicHellos::default();
        let key = |low| VerdictKey { high: 0, low, len: 128 };
        for low in 0..4096 {
            assert!(quic.has_room(&key(low)));
            quic.blocked.insert(key(low), 60_000);
        }
        assert!(!quic.has_room(&key(4096)) && quic.has_room(&key(7)));
        assert!(quic.forgets(&key(7)) && !quic.forgets(&key(7)));
        assert!(quic.has_room(&key(4096)));
    }
}
