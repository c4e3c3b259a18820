//! What is in force already, written down beside the engine: a disk takes its time.

use super::engine::Engine;
use crate::classify::decision::record::{Key, Record};
use crate::rule::{HelloRule, Pattern};
use crate::store::{Store, StoreError, Write};
use crate::verdict::{Verdict, prefix_of};
use filter_common::abi::width::VerdictKey;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// What has changed and isn't on disk yet: decisions of the classifier, and what has ended. After a
/// crash the kernel still has its verdicts; what else a second has brought is decided anew.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    pub(super) records: BTreeSet<Key>,
    pub(super) verdicts: BTreeSet<VerdictKey>,
    pub(super) rules: BTreeSet<Pattern>,
}

/// A commit that goes on, and what it writes.
#[derive(Debug)]
pub(super) struct Saving {
    thread: JoinHandle<Result<(), StoreError>>,
    of: Unsaved,
}

/// What a commit writes.
#[derive(Debug)]
struct Batch {
    records: Vec<(Key, Option<Record>)>,
    verdicts: Vec<(IpNet, Option<Verdict>)>,
    rules: Vec<(Pattern, Option<HelloRule>)>,
}

impl Unsaved {
    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.verdicts.is_empty() && self.rules.is_empty()
    }

    fn extend(&mut self, other: Self) {
        self.records.extend(other.records);
        self.verdicts.extend(other.verdicts);
        self.rules.extend(other.rules);
    }
}

impl Batch {
    fn commit(&self, store: &Store) -> Result<(), StoreError> {
        let records = self.records.iter().map(|(key, kept)| Write::Decided(key, kept.as_ref()));
        let verdicts = self.verdicts.iter().map(|(net, kept)| Write::Verdict(*net, kept.as_ref()));
        let rules = self.rules.iter().map(|(pattern, kept)| Write::Rule(pattern, kept.as_ref()));
        store.commit(records.chain(verdicts).chain(rules))
    }
}

impl Engine {
    /// Begins to write down what has changed, unless it is still at it.
    pub(super) fn tend_saving(&mut self) {
        self.unsaved.records.extend(self.detector.judge.take_changed());
        if self.saving.as_ref().is_some_and(|saving| !saving.thread.is_finished()) {
            return;
        }
        self.settle();
        if self.unsaved.is_empty() {
            return;
        }
        let of = std::mem::take(&mut self.unsaved);
        let (batch, store) = (self.batch(&of), Arc::clone(&self.store));
        match spawn(move || batch.commit(&store)) {
            Ok(thread) => self.saving = Some(Saving { thread, of }),
            Err(error) => {
                tracing::error!(%error, "nobody can write decisions down; it is tried again");
                self.unsaved = of;
            }
        }
    }

    /// Waits until what is being written is on disk: what is said about the same after it has to
    /// come after it there, too. What can't be written is tried again.
    pub(super) fn settle(&mut self) {
        let Some(Saving { thread, of }) = self.saving.take() else {
            return;
        };
        let outcome = thread.join();
        if let Ok(Ok(())) = outcome {
            return;
        }
        let error = outcome.map_or_else(|_| "a panic".into(), |end| format!("{end:?}"));
        tracing::error!(error, "decisions can't be stored; it is tried again");
        self.unsaved.extend(of);
    }

    fn batch(&self, of: &Unsaved) -> Batch {
        let record = |key: &Key| (key.clone(), self.detector.judge.record(key).cloned());
        let verdict = |key: &VerdictKey| (prefix_of(key), self.verdicts.get(key, 0).cloned());
        let rule = |pattern: &Pattern| {
            (pattern.clone(), self.rules.get(pattern).map(|(_, rule)| rule.clone()))
        };
        Batch {
            records: of.records.iter().map(record).collect(),
            verdicts: of.verdicts.iter().map(verdict).collect(),
            rules: of.rules.iter().map(rule).collect(),
        }
    }
}

fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name("store".into()).spawn(work)
}
