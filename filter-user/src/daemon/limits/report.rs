//! What there is to tell of limit profiles.

use super::no_limit;
use crate::clock::Now;
use crate::control::api::{GuardInfo, LimitInfo, LimitLine, TopEntry, Traffic};
use crate::control::handle::Refusal;
use crate::daemon::engine::Engine;
use crate::daemon::operator::failed;
use crate::limit::top::{Usage, busiest};
use crate::limit::{Allowance, LimitSettings, NamedLimit, QuotaPer};
use aya::maps::MapError;
use filter_common::abi::counter::Count;
use filter_common::abi::limit::{Profile, ProfileCounters};
use std::cmp::Reverse;
use std::collections::BTreeMap;

impl Engine {
    /// All profiles, in the order of their names.
    pub(in crate::daemon) fn report_limits(
        &mut self,
        now: Now,
    ) -> Result<Vec<LimitInfo>, MapError> {
        let all = self.counted()?;
        Ok(all
            .into_iter()
            .filter_map(|(name, counters)| self.info(&name, &counters, now))
            .collect())
    }

    /// A line for each profile that refused something, or would have.
    pub(in crate::daemon) fn report_limit_lines(&mut self) -> Result<Vec<LimitLine>, MapError> {
        let all = self.counted()?.into_iter();
        let lines = all.map(|(name, counters)| LimitLine {
            name,
            refused: traffic(counters.refused),
            would_refuse: traffic(counters.would_refuse),
        });
        Ok(lines.filter(|line| line.refused.packets + line.would_refuse.packets > 0).collect())
    }

    /// The guards that are up.
    pub(in crate::daemon) fn report_guards(
        &mut self,
        now: Now,
    ) -> Result<Vec<GuardInfo>, MapError> {
        let pressed: Vec<_> =
            self.guard.pressed().map(|(name, since_ns)| (name.to_owned(), since_ns)).collect();
        let mut guards = Vec::with_capacity(pressed.len());
        for (name, since_ns) in pressed {
            let Some(number) = self.limits.get(&name).map(|limit| limit.number) else {
                continue;
            };
            let preferred = self.limit_maps()?.counters(number)?.preferred;
            guards.push(GuardInfo { name, since_unix_ms: now.unix_ms_before(since_ns), preferred });
        }
        Ok(guards)
    }

    /// What was counted of each profile.
    fn counted(&mut self) -> Result<Vec<(String, ProfileCounters)>, MapError> {
        let numbers = self.limits.profiles().iter();
        let numbers: Vec<_> = numbers.map(|(name, limit)| (name.clone(), limit.number)).collect();
        let maps = self.limit_maps()?;
        let each = numbers.into_iter();
        each.map(|(name, number)| Ok((name, maps.counters(number)?))).collect()
    }

    fn info(&self, name: &str, counters: &ProfileCounters, now: Now) -> Option<LimitInfo> {
        let NamedLimit { number, settings, origin } = self.limits.get(name)?;
        let LimitSettings { unit, allowance, key, services, action, guard } = settings;
        let (rate, burst, quota) = match *allowance {
            Allowance::Rate { rate, burst } => (Some(rate), Some(burst.get()), None),
            Allowance::Quota { cap, window } => (None, None, Some(QuotaPer { cap, window })),
        };
        Some(LimitInfo {
            name: name.into(),
            number: *number,
            unit: *unit,
            rate,
            burst,
            quota,
            key: *key,
            services: services.clone(),
            action: *action,
            guard: *guard,
            origin: *origin,
            lists: self.lists_with(name),
            rules: self.rules.with_limit(name).map(ToString::to_string).collect(),
            passed: traffic(counters.passed),
            refused: traffic(counters.refused),
            would_refuse: traffic(counters.would_refuse),
            preferred: counters.preferred,
            untracked: counters.untracked,
            unlisted: counters.unlisted,
            guard_since_unix_ms: self.guard.since_ns(name).map(|ns| now.unix_ms_before(ns)),
        })
    }

    /// The keys that use most of their limits.
    ///
    /// It looks at every meter, half a million of them at most, which takes some ten
    /// milliseconds.
    pub(in crate::daemon) fn report_top(
        &mut self,
        count: usize,
        name: Option<&str>,
        now: Now,
    ) -> Result<Vec<TopEntry>, Refusal> {
        let wanted = match name {
            Some(name) => Some(self.limits.get(name).ok_or_else(|| no_limit(name))?.number),
            None => None,
        };
        let mut top = self.busy(count, wanted, now).map_err(failed)?;
        top.sort_by_key(|entry| Reverse((entry.percent, entry.used)));
        top.truncate(count);
        Ok(top)
    }

    fn busy(
        &mut self,
        count: usize,
        wanted: Option<u32>,
        now: Now,
    ) -> Result<Vec<TopEntry>, MapError> {
        let (names, fingerprints) = (self.names(), self.names_of_fingerprints()?);
        let maps = self.limit_maps()?;
        let profiles = maps.profiles()?.into_iter();
        let profiles = profiles.filter(|(n, _)| wanted.is_none_or(|wanted| *n == wanted));
        let (together, clients): (BTreeMap<_, _>, _) =
            profiles.partition(|(_, profile)| profile.key == Profile::TOGETHER);
        let mut top = Vec::new();
        for (number, profile) in &together {
            let usage = Usage::of(profile, maps.aggregate(*number)?, now.ktime_ns);
            if usage.used > 0 {
                top.push(entry(&names, *number, "all of it".into(), usage, profile));
            }
        }
        let secrets = maps.secrets()?;
        let busiest = busiest(maps.meters(), &clients, &secrets, now.ktime_ns, count);
        for busy in busiest {
            if let Some(profile) = clients.get(&busy.number) {
                let whom = busy.whom.named(|name| fingerprints.get(&name).cloned());
                top.push(entry(&names, busy.number, whom, busy.usage, profile));
            }
        }
        Ok(top)
    }

    fn names(&self) -> BTreeMap<u32, String> {
        let profiles = self.limits.profiles().iter();
        profiles.map(|(name, limit)| (limit.number, name.clone())).collect()
    }
}

fn entry(
    names: &BTreeMap<u32, String>,
    number: u32,
    key: String,
    usage: Usage,
    profile: &Profile,
) -> TopEntry {
    TopEntry {
        profile: names.get(&number).cloned().unwrap_or_default(),
        key,
        used: usage.used,
        of: usage.of,
        percent: usage.permille() / 10,
        resets_in_s: profile.is_quota().then_some(usage.resets_in.as_secs()),
    }
}

fn traffic(count: Count) -> Traffic {
    Traffic { packets: count.packets, bytes: count.bytes }
}
