//! What the daemon says of clients and fingerprints.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::actor::Effect;
use crate::lab::filter::Filter;

/// What is said of an actor.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What its addresses are, by their hellos.
    pub(super) classes: BTreeSet<String>,
    /// What says so.
    pub(super) signals: Vec<Finding>,
    /// JA4 of its hellos, or why there is none.
    pub(super) fingerprints: BTreeSet<String>,
    pub(super) decisions: Vec<Decision>,
    /// What speaks against the address that most speaks against, though nothing may follow.
    pub(super) standing: Standing,
    /// What becomes of its packets now.
    pub(super) effects: BTreeSet<String>,
}

/// A decision that is in force.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub(super) struct Decision {
    pub(super) whom: serde_json::Value,
    pub(super) action: Effect,
    pub(super) class: String,
    pub(super) line: String,
    pub(super) score: u32,
    pub(super) findings: Vec<Finding>,
    /// Why it is less than the line says.
    pub(super) narrowed: Option<String>,
    pub(super) ja4: Option<String>,
    pub(super) at_ms: u64,
}

/// A signal that fired.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub(super) struct Finding {
    pub(super) name: String,
    pub(super) weight: u32,
    pub(super) evidence: String,
}

/// What speaks against somebody at a service.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Standing {
    pub(super) score: u32,
    pub(super) findings: Vec<Finding>,
}

/// The part of `palisade --json explain ADDRESS` that matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Client {
    effect: String,
    fingerprints: Vec<Hello>,
    class: Option<Class>,
    behaviour: Behaviour,
}

/// The part of `palisade --json explain JA4` that matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Fingerprint {
    decisions: Vec<Decision>,
}

#[derive(Debug, Deserialize)]
struct Hello {
    fingerprint: String,
}

#[derive(Debug, Deserialize)]
struct Class {
    class: String,
    signals: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
struct Behaviour {
    standings: Vec<Standing>,
    decisions: Vec<Decision>,
}

/// What is said of an address.
pub(super) fn client(filter: &Filter, address: &str) -> Result<Client> {
    filter.ask(&["explain", address])
}

/// What is said of a JA4.
pub(super) fn fingerprint(filter: &Filter, ja4: &str) -> Result<Fingerprint> {
    filter.ask(&["explain", ja4])
}

impl Client {
    pub(super) fn fingerprints(&self) -> impl Iterator<Item = String> {
        self.fingerprints.iter().map(|hello| hello.fingerprint.clone())
    }
}

impl Told {
    /// All that is said of an actor's addresses and fingerprints, each decision once.
    pub(super) fn new(clients: Vec<Client>, fingerprints: Vec<Fingerprint>) -> Self {
        let mut told = Self::default();
        for client in clients {
            told.fingerprints.extend(client.fingerprints());
            if let Some(class) = client.class {
                told.classes.insert(class.class);
                let is_new =
                    |one: &Finding| told.signals.iter().all(|other| other.name != one.name);
                let new: Vec<Finding> = class.signals.into_iter().filter(is_new).collect();
                told.signals.extend(new);
            }
            told.effects.insert(client.effect);
            told.add(client.behaviour.decisions);
            let standings = client.behaviour.standings.into_iter().chain([told.standing]);
            told.standing = standings.max_by_key(|one| one.score).unwrap_or_default();
        }
        for fingerprint in fingerprints {
            told.add(fingerprint.decisions);
        }
        told
    }

    /// The strongest, of these the one with the highest score.
    pub(super) fn strongest(&self) -> Option<&Decision> {
        self.decisions.iter().max_by_key(|one| (one.action, one.score))
    }

    fn add(&mut self, decisions: Vec<Decision>) {
        let new = decisions.into_iter().filter(|one| !self.decisions.contains(one));
        let new: Vec<Decision> = new.collect();
        self.decisions.extend(new);
    }
}

/// When somebody of these was first limited or blocked, in milliseconds since 1970.
pub(super) fn first_decision_ms(heard: &str, whom: &BTreeSet<String>) -> Option<u64> {
    let events = heard.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok());
    let acts = |event: &Event| event.kind == "decision" && !event.text.starts_with("watch");
    let is_about = |event: &Event| event.subject.as_ref().is_some_and(|one| whom.contains(one));
    events.filter(|event| acts(event) && is_about(event)).map(|event| event.unix_ms).min()
}

/// The part of an event that matters here.
#[derive(Deserialize)]
struct Event {
    unix_ms: u64,
    kind: String,
    subject: Option<String>,
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_decision_that_acts_counts() {
        let event = |unix_ms: u64, kind: &str, subject: &str, text: &str| {
            let event = serde_json::json!({
                "unix_ms": unix_ms, "kind": kind, "subject": subject, "text": text,
            });
            format!("{event}\n")
        };
        let lines = event(1, "decision", "a", "watch: doubt")
            + &event(2, "hello", "a", "t13")
            + &event(3, "decision", "b", "limit: suspicion")
            + &event(4, "decision", "a", "block: abuse")
            + &event(5, "decision", "a", "block: abuse");
        let first = |whom: &str| first_decision_ms(&lines, &BTreeSet::from([whom.to_owned()]));
        assert_eq!((first("a"), first("b"), first("c")), (Some(4), Some(3), None));
    }
}
