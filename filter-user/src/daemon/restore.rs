//! A new daemon takes in what was stored, and makes the kernel agree with it.

use super::DaemonError;
use super::engine::Engine;
use crate::clock::Now;
use crate::config::HostMode;
use crate::policy::entries::Entries;
use crate::policy::list::{List, ListSettings};
use crate::store::Saved;
use crate::verdict::{Verdict, VerdictSource, key_of};
use aya::maps::MapError;
use filter_common::abi::address::ListId;
use std::collections::BTreeMap;

/// What lists are, and their entries.
type SavedLists = (Vec<(String, ListId, ListSettings)>, BTreeMap<String, Entries>);

impl Engine {
    /// Takes in what was stored, and makes the kernel agree with it.
    ///
    /// *Errors*: [`DaemonError::Fill`], [`DaemonError::Limits`] and [`DaemonError::Policy`].
    pub(super) fn restore(
        &mut self,
        saved: Saved,
        mode: Option<HostMode>,
        now: Now,
    ) -> Result<(), DaemonError> {
        self.started = now;
        self.mode = mode.or(saved.mode).unwrap_or(self.config.mode);
        self.write_secret().map_err(DaemonError::Fill)?;
        self.restore_limits(saved.limits, &saved.lists, now)?;
        self.restore_policy((saved.lists, saved.entries), now)?;
        self.restore_verdicts(saved.verdicts, now).map_err(DaemonError::Fill)?;
        self.labels = saved.labels;
        self.detector.judge.restore(saved.judged, now.unix_ms);
        self.restore_knowledge(saved.knowledge);
        self.restore_rules(saved.rules, now).map_err(DaemonError::Fill)?;
        self.forget_unfinished(now);
        self.write_quic_budget().map_err(DaemonError::Fill)?;
        self.write_config().map_err(DaemonError::Fill)
    }

    /// Puts the stored lists in the place of whatever an earlier daemon left in the
    /// kernel, in one step.
    fn restore_policy(&mut self, saved: SavedLists, now: Now) -> Result<(), DaemonError> {
        let failed = |error: String| DaemonError::Policy(error);
        let (lists, mut entries) = saved;
        for (name, id, settings) in lists {
            let limit = self.limit_of(&settings.action);
            let limit = limit.map_err(|error| failed(format!("list {name}: {error}")))?;
            let set = self.limit_maps().and_then(|maps| maps.set_list_limit(id, limit));
            set.map_err(DaemonError::Fill)?;
            self.policy.put(&name, List { id, settings, entries: Entries::default() });
        }
        for (name, list) in self.policy.lists_mut() {
            list.entries = entries.remove(name).unwrap_or_default();
        }
        let prepared = self.prepare_whole(now).map_err(|error| failed(error.to_string()))?;
        self.release(prepared).map_err(|error| failed(error.to_string()))
    }

    /// The store knows why, the kernel knows what is in force: a verdict that only the
    /// kernel has is kept, one that only the store has is made again.
    fn restore_verdicts(
        &mut self,
        saved: Vec<(ipnet::IpNet, Verdict)>,
        now: Now,
    ) -> Result<(), MapError> {
        for (key, kernel) in self.maps()?.verdicts()? {
            let ends = now.unix_ms_of(kernel.expires_ns);
            if kernel.expires_ns > now.ktime_ns {
                let _ = self.verdicts.set(key, Verdict::from_kernel(&kernel, ends));
            } else {
                self.maps()?.clear_verdict(key)?;
            }
        }
        for (prefix, verdict) in saved {
            let Some(key) = key_of(&prefix) else {
                tracing::warn!(%prefix, "a stored verdict has a length that no verdict has");
                continue;
            };
            if verdict.expires_unix_ms <= now.unix_ms {
                continue;
            }
            // What was decided just before a crash is in the kernel alone.
            let newer = |present: &&Verdict| {
                present.source == VerdictSource::Classifier && present.action != verdict.action
            };
            let present = self.verdicts.get(&key, now.unix_ms).filter(newer);
            if !present.is_some_and(|present| present.outweighs(&verdict)) {
                self.enforce(key, verdict, now)?;
            }
        }
        Ok(())
    }
}
