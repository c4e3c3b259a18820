//! A new daemon takes in what was stored and configured, and makes the kernel agree.

use crate::clock::Now;
use crate::daemon::DaemonError;
use crate::daemon::engine::Engine;
use crate::limit::built_in;
use crate::limit::{LimitBook, LimitSettings, Origin};
use crate::policy::list::ListSettings;
use crate::store::{SavedLimit, Write};
use filter_common::abi::address::ListId;
use filter_common::abi::limit::PROFILE_COUNT;
use std::collections::{BTreeMap, BTreeSet};

/// What was stored, by name.
type Saved = BTreeMap<String, SavedLimit>;

impl Engine {
    /// Makes the book of what the configuration says and what operators said. A profile that
    /// counts what it counted before keeps its number, and with it what clients have used.
    ///
    /// *Errors*: [`DaemonError::Limits`], when they don't fit in beside each other;
    /// [`DaemonError::Policy`], when a list names one that isn't there;
    /// [`DaemonError::Fill`].
    pub(in crate::daemon) fn restore_limits(
        &mut self,
        saved: Vec<(String, SavedLimit)>,
        lists: &[(String, ListId, ListSettings)],
        now: Now,
    ) -> Result<(), DaemonError> {
        let saved: Saved = saved.into_iter().collect();
        let free = self.unused(&saved)?;
        self.limits = self.wanted(&saved, free)?;
        // Before anything is changed: whoever is refused keeps what was in force.
        for (name, _, settings) in lists {
            let limit = self.limit_of(&settings.action);
            limit.map_err(|error| DaemonError::Policy(format!("list {name}: {error}")))?;
        }
        self.store_limits(&saved)?;
        self.apply_limits(now).map_err(DaemonError::Fill)
    }

    /// What there should be: first those that have a number, so that nobody takes it.
    fn wanted(&self, saved: &Saved, free: Vec<u32>) -> Result<LimitBook, DaemonError> {
        let configured = self.config.limits.iter();
        let configured = configured.map(|(name, settings, origin)| (name, (settings, origin)));
        let mut all: BTreeMap<_, _> = configured.collect();
        for (name, limit) in saved.iter().filter(|(_, limit)| limit.origin == Origin::Operator) {
            all.insert(name, (&limit.settings, limit.origin));
        }
        let own_number = |name: &str, settings: &LimitSettings| {
            let limit = saved.get(name).filter(|limit| limit.settings.counts_like(settings));
            limit.map(|limit| limit.number)
        };
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by_key(|(name, (settings, _))| own_number(name, settings).is_none());
        let mut free = free.into_iter();
        let mut book = LimitBook::default();
        for (name, (settings, origin)) in all {
            let own = own_number(name, settings);
            let number = own.or_else(|| if is_built_in(name) { None } else { free.next() });
            let put = book.put(name, settings.clone(), origin, number);
            put.map_err(|error| DaemonError::Limits(format!("limit {name}: {error}")))?;
        }
        Ok(book)
    }

    /// Numbers that nothing was counted under, as far as disk and kernel know: a new profile
    /// must not inherit what was used of another.
    fn unused(&mut self, saved: &Saved) -> Result<Vec<u32>, DaemonError> {
        let in_force = self.limit_maps().and_then(|maps| maps.profiles());
        let in_force = in_force.map_err(DaemonError::Fill)?;
        let known = in_force.into_iter().map(|(number, _)| number);
        let known: BTreeSet<u32> = known.chain(saved.values().map(|limit| limit.number)).collect();
        let built_in: BTreeSet<u32> =
            built_in::all().iter().map(|(_, number, _)| *number).collect();
        let numbers = 1..PROFILE_COUNT;
        Ok(numbers.filter(|number| !known.contains(number) && !built_in.contains(number)).collect())
    }

    /// Writes down what differs from what was stored: numbers of the configuration's
    /// profiles.
    fn store_limits(&self, saved: &Saved) -> Result<(), DaemonError> {
        let present = self.limits.profiles().iter();
        let present: Saved = present.map(|(name, limit)| (name.clone(), limit.into())).collect();
        let gone = saved.keys().filter(|name| !present.contains_key(*name));
        let changed = present.iter().filter(|(name, limit)| saved.get(*name) != Some(*limit));
        let writes = gone.map(|name| Write::Limit(name, None));
        let writes = writes.chain(changed.map(|(name, limit)| Write::Limit(name, Some(limit))));
        let writes: Vec<_> = writes.collect();
        if !writes.is_empty() {
            self.store.commit(writes)?;
        }
        Ok(())
    }
}

fn is_built_in(name: &str) -> bool {
    built_in::all().iter().any(|(known, ..)| *known == name)
}
