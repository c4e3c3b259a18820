//! What the daemon tells of hellos, client by client: `palisade watch --json`.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::clock;
use crate::lab::client::{self, Manner};
use crate::lab::filter::Filter;
use crate::lab::{Lab, Listener, Site, elsewhere, host};

/// What was told of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// A JA4 for each hello.
    pub(super) ja4: Vec<String>,
    /// Why there is none, for each hello without.
    pub(super) causes: Vec<String>,
    /// Hellos that aren't evidence, because no socket waited for them.
    pub(super) unproven: usize,
}

impl Told {
    /// Hellos that were told of, with or without a fingerprint.
    pub(super) fn count(&self) -> usize {
        self.ja4.len() + self.causes.len()
    }
}

/// Somebody who listens to the daemon.
pub(super) struct Watch(Listener);

impl Watch {
    /// Starts to listen, and waits until something is heard.
    ///
    /// # Errors
    ///
    /// If nothing is heard of a client that says hello.
    pub(super) fn start(lab: &Lab, filter: &Filter) -> Result<Self> {
        let watch = Self(Listener::start(lab, filter)?);
        let herald = elsewhere(host::NEIGHBOUR);
        clock::poll("the daemon telling of a hello", HEARD, || {
            client::curl(lab, Site::Elsewhere, &herald, Manner::Unknown)?;
            Ok(watch.told()?.contains_key(&herald).then_some(()))
        })
        .with_context(|| format!("its log ends with:\n{}", filter.log()))?;
        Ok(watch)
    }

    /// All that was heard up to now, by address.
    pub(super) fn told(&self) -> Result<BTreeMap<String, Told>> {
        Ok(read(&self.0.heard()?))
    }

    /// What was heard of one client, as soon as that is about so many hellos, and after
    /// `limit` at the latest.
    pub(super) fn told_of(&self, address: &str, hellos: usize, limit: Duration) -> Result<Told> {
        // Of whom too little is heard is judged by what there is.
        let _ = clock::poll("the daemon telling of a client", limit, || {
            let told = self.told()?.remove(address).unwrap_or_default();
            Ok((told.count() >= hellos).then_some(()))
        });
        Ok(self.told()?.remove(address).unwrap_or_default())
    }
}

/// The JA3 that the daemon lists for these JA4; of several hellos with one JA4 it lists the
/// last one's.
pub(super) fn ja3_of(filter: &Filter, told: &Told) -> Result<Vec<String>> {
    let listed: Vec<Listed> = filter.ask(&["fingerprint", "list"])?;
    let theirs = listed.into_iter().filter(|listed| told.ja4.contains(&listed.ja4));
    Ok(theirs.filter_map(|listed| listed.ja3).collect())
}

/// The part of a row of `palisade --json fingerprint list` that matters here.
#[derive(Deserialize)]
struct Listed {
    ja4: String,
    ja3: Option<String>,
}

/// The part of an event that matters here.
#[derive(Deserialize)]
struct Event {
    kind: String,
    subject: Option<String>,
    text: String,
}

/// A line that is no event, the last one being written for instance, says nothing.
fn read(lines: &str) -> BTreeMap<String, Told> {
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    for event in lines.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok()) {
        let Some(subject) = event.subject else {
            continue;
        };
        if event.kind == "hello" {
            let told = told.entry(subject).or_default();
            told.ja4.push(event.text.split(' ').next().unwrap_or_default().to_owned());
            told.unproven += usize::from(event.text.ends_with(UNPROVEN));
        } else if event.kind == "unfingerprintable" {
            let cause = event.text.rsplit(": ").next().unwrap_or_default().to_owned();
            told.entry(subject).or_default().causes.push(cause);
        }
    }
    told
}

/// How the daemon marks a hello that isn't evidence.
const UNPROVEN: &str = "(sender not proven)";

/// Long against the milliseconds that it takes.
const HEARD: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, text: &str) -> String {
        let event = serde_json::json!({
            "unix_ms": 1, "kind": kind, "subject": "203.0.113.11", "text": text,
        });
        format!("{event}\n")
    }

    #[test]
    fn hellos_are_told_by_client() {
        let lines = event("hello", "t13_a_b for edge.example")
            + &event("hello", "t13_c_d for no name (sender not proven)")
            + &event("unfingerprintable", "a ClientHello could not be put together: gap");
        let told = &read(&lines)["203.0.113.11"];
        assert_eq!(told.ja4, ["t13_a_b", "t13_c_d"]);
        assert_eq!(told.causes, ["gap"]);
        assert_eq!((told.count(), told.unproven), (3, 1));
    }

    #[test]
    fn other_events_and_half_a_line_say_nothing() {
        let lines = event("verdict", "block: a tool") + &event("hello", "t13_a_b for x")[..30];
        assert!(read(&lines).is_empty());
    }
}
