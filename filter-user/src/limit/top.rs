//! The busiest keys.

use super::whom::Whom;
use filter_common::abi::limit::{Meter, Profile};
use filter_common::gcra::Rate;
use filter_common::limit::key::{self, Secrets};
use filter_common::limit::meter::Scale;
use filter_common::limit::quota;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

/// How much of a limit somebody uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Units in use, rounded up.
    pub used: u64,
    /// Units that there are: a burst or a cap.
    pub of: u64,
    /// When all of it is back.
    pub resets_in: Duration,
}

/// A key and what it uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    /// The limit, by its number.
    pub number: u32,
    /// Who.
    pub whom: Whom,
    /// How much.
    pub usage: Usage,
}

impl Usage {
    /// What a meter's word says now.
    #[must_use]
    pub fn of(profile: &Profile, word: u64, now_ns: u64) -> Self {
        let ticks = Scale::new(profile, now_ns).used(word);
        let (used, of) = (units(profile, ticks, true), units(profile, profile.rate.burst, false));
        let resets_ns = if ticks == 0 {
            0
        } else if profile.is_quota() {
            quota::left(word, now_ns, profile.window) << 30
        } else {
            time_ns(&profile.rate, ticks)
        };
        Self { used, of, resets_in: Duration::from_nanos(resets_ns) }
    }

    /// Thousandths of it that are in use.
    #[must_use]
    pub fn permille(&self) -> u32 {
        let share = u128::from(self.used) * 1000 / u128::from(self.of.max(1));
        u32::try_from(share).unwrap_or(u32::MAX)
    }
}

fn units(profile: &Profile, ticks: u64, up: bool) -> u64 {
    let per_unit = profile.rate.ticks(1);
    if profile.is_quota() || per_unit == 0 {
        return ticks;
    }
    if up { ticks.div_ceil(per_unit) } else { ticks / per_unit }
}

/// How long a rate takes for so many ticks.
fn time_ns(rate: &Rate, ticks: u64) -> u64 {
    let ns = (u128::from(ticks) << (rate.shift & 63)) / u128::from(rate.factor.max(1));
    u64::try_from(ns).unwrap_or(u64::MAX)
}

/// The busiest keys, the busiest first: those that use the largest share of their limit.
///
/// *Shape*: at most `count`. Meters that are at rest aren't named.
pub fn busiest(
    meters: impl Iterator<Item = (u32, Meter)>,
    profiles: &BTreeMap<u32, Profile>,
    secrets: &Secrets,
    now_ns: u64,
    count: usize,
) -> Vec<Busy> {
    let mut heap = BinaryHeap::new();
    for (set, meter) in meters {
        let number = key::number(meter.tag);
        let Some(profile) = profiles.get(&number) else {
            continue;
        };
        let usage = Usage::of(profile, meter.word, now_ns);
        if usage.used != 0 {
            heap.push(Reverse((usage.permille(), usage.used, number, set, meter.tag, meter.word)));
        }
        if heap.len() > count {
            heap.pop();
        }
    }
    let busy = |Reverse((.., number, set, tag, word)): Reverse<(u32, u64, u32, u32, u64, u64)>| {
        let profile = profiles.get(&number)?;
        let usage = Usage::of(profile, word, now_ns);
        Some(Busy { number, whom: Whom::of(secrets, profile, set, tag), usage })
    };
    heap.into_sorted_vec().into_iter().filter_map(busy).collect()
}
