//! Named cases that say what a policy does to whom: for operators, and for our own scenarios.
//!
//! A case is a few actors at one service in virtual time. Each says what it does, how often,
//! and what is expected to happen to it.

mod actor;
mod play;

pub use actor::{Actor, Expected, Hello, Visit};

use super::Decision;
use super::policy::Policy;
use serde::Deserialize;

/// A file of cases.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    /// They stand each for itself.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

/// A case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// At which service.
    #[serde(default = "www")]
    pub service: String,
    /// Who comes, all at the same time.
    #[serde(rename = "actor")]
    pub actors: Vec<Actor>,
}

/// What happened to an actor.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// In which case.
    pub case: String,
    /// To whom.
    pub actor: String,
    /// The most that happened to an address of its.
    pub address: Expected,
    /// The most that happened to its fingerprint.
    pub fingerprint: Expected,
    /// The first decision about it, if there was one.
    pub first: Option<Found>,
    /// What wasn't as expected.
    pub problem: Option<String>,
}

/// A decision, and how long it took.
#[derive(Clone, Debug)]
pub struct Found {
    /// Minutes from the beginning.
    pub minutes: u64,
    /// How often the actor had come.
    pub visits: usize,
    /// The strongest of the first ones that were made.
    pub decision: Decision,
}

/// A case that can't be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{case:?}: the actor {actor:?} comes more than {VISITS} times: make it shorter or rarer")]
pub struct TooLong {
    /// Which case.
    pub case: String,
    /// Which actor.
    pub actor: String,
}

impl Cases {
    /// Plays them all under a policy.
    ///
    /// *Errors*: [`TooLong`].
    pub fn play(&self, policy: &Policy) -> Result<Vec<Outcome>, TooLong> {
        let outcomes: Result<Vec<_>, _> = self.cases.iter().map(|case| case.play(policy)).collect();
        Ok(outcomes?.into_iter().flatten().collect())
    }
}

fn www() -> String {
    "www".to_owned()
}

/// How often an actor may come in a case: some seconds of work.
const VISITS: u64 = 500_000;

#[cfg(test)]
mod tests;
