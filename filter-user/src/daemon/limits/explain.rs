//! What of its limits an address has used.

use crate::clock::Now;
use crate::daemon::engine::Engine;
use crate::daemon::explain::{Effect, Finding, nothing, step};
use crate::daemon::policy::unix_s;
use crate::limit::built_in::THROTTLE;
use crate::limit::top::Usage;
use crate::limit::{Allowance, LimitAction, NamedLimit, Unit};
use crate::policy::list::ListAction;
use crate::verdict::{VerdictAction, address_of};
use aya::maps::MapError;
use filter_common::limit::key;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

/// A profile that can apply to an address.
struct Applying {
    name: String,
    cause: Cause,
}

/// Why it applies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Throttle { shadow: bool },
    List { shadow: bool },
    Service,
}

impl Engine {
    /// Each profile that can apply to packets of an address, with what is used of it; what
    /// counts everybody together comes last.
    pub(in crate::daemon) fn find_limits(&mut self, address: IpAddr, now: Now) -> Vec<Finding> {
        let found = self.try_find_limits(address, now);
        found.unwrap_or_else(|error| vec![nothing("limits", &format!("can't be read: {error}"))])
    }

    fn try_find_limits(&mut self, address: IpAddr, now: Now) -> Result<Vec<Finding>, MapError> {
        let applying = self.applying(address, now);
        let replaced = applying.iter().find(|one| one.cause == Cause::List { shadow: false });
        let replaced = replaced.and_then(|one| self.limits.get(&one.name));
        let replaced = replaced.filter(|limit| limit.settings.is_on());
        let replaced = replaced.map(|limit| limit.settings.unit);
        let mut findings = Vec::with_capacity(applying.len());
        for one in applying {
            let Some(limit) = self.limits.get(&one.name).cloned() else {
                continue;
            };
            let usage = self.usage(&limit, address, now)?;
            findings.push(find_limit(&one, &limit, usage, replaced));
        }
        Ok(findings)
    }

    /// What an address's key has used of a profile; `None` when the profile is off.
    fn usage(
        &mut self,
        limit: &NamedLimit,
        address: IpAddr,
        now: Now,
    ) -> Result<Option<Usage>, MapError> {
        let number = limit.number;
        let maps = self.limit_maps()?;
        let profiles = maps.profiles()?;
        let Some((_, profile)) = profiles.iter().find(|(known, _)| *known == number) else {
            return Ok(None);
        };
        let word = if limit.settings.key.is_service() {
            maps.aggregate(number)?
        } else {
            let place = key::place(&maps.secrets()?, profile, number, &address_of(address), 0);
            maps.meter(&place).unwrap_or_default()
        };
        Ok(Some(Usage::of(profile, word, now.ktime_ns)))
    }

    fn applying(&self, address: IpAddr, now: Now) -> Vec<Applying> {
        let verdicts = self.verdicts.holding(address, now.unix_ms);
        let throttles = verdicts.iter().filter(|(_, v)| v.action == VerdictAction::Throttle);
        // One that acts is enough.
        let shadow = throttles.map(|(_, v)| v.shadow).reduce(|all, one| all && one);
        let throttle = shadow.map(|shadow| (THROTTLE.to_owned(), Cause::Throttle { shadow }));
        let listed = self.list_limit_on(address, now);
        let listed = listed.map(|(name, shadow)| (name, Cause::List { shadow }));
        let served = self.limits.profiles().iter();
        let mut served: Vec<_> =
            served.filter(|(_, limit)| !limit.settings.services.is_empty()).collect();
        served.sort_by_key(|(_, limit)| (limit.settings.key.is_service(), limit.number));
        let served = served.into_iter().map(|(name, _)| (name.clone(), Cause::Service));
        let all = throttle.into_iter().chain(listed).chain(served);
        all.map(|(name, cause)| Applying { name, cause }).collect()
    }

    /// The profile that a list limits an address to, and whether that only counts.
    fn list_limit_on(&self, address: IpAddr, now: Now) -> Option<(String, bool)> {
        let holders = self.policy.holders(address, unix_s(now));
        let deciding = holders.iter().find(|holder| !holder.is_shadow());
        let mut candidates = deciding.into_iter().chain(holders.first());
        candidates.find_map(|holder| match &holder.list.settings.action {
            ListAction::Limit(name) => Some((name.clone(), holder.is_shadow())),
            _ => None,
        })
    }
}

fn find_limit(
    one: &Applying,
    limit: &NamedLimit,
    usage: Option<Usage>,
    replaced: Option<Unit>,
) -> Finding {
    let (name, settings) = (format!("limit {}", one.name), &limit.settings);
    let Some(usage) = usage else {
        return nothing(&name, "off");
    };
    let by_client = !settings.key.is_service();
    if one.cause == Cause::Service && by_client && replaced == Some(settings.unit) {
        return nothing(&name, "a list's limit takes its place");
    }
    let shadow = settings.action == LimitAction::Shadow
        || matches!(one.cause, Cause::List { shadow: true } | Cause::Throttle { shadow: true });
    let is_over = usage.used >= usage.of;
    let effect = if is_over { Effect::Drop { shadow } } else { Effect::Nothing };
    let way_out = Some(format!("palisade limit set {} --action shadow", one.name));
    Finding { step: step(&name, said(one.cause, limit, usage)), effect, way_out }
}

/// What is in use, and when it comes back.
fn said(cause: Cause, limit: &NamedLimit, usage: Usage) -> String {
    let (settings, Usage { used, of, resets_in }) = (&limit.settings, usage);
    let unit = settings.unit;
    let mut text = match settings.allowance {
        Allowance::Rate { rate, .. } => {
            format!("{used} of a burst of {of} {unit} in use, {rate} come back")
        }
        Allowance::Quota { .. } if used == 0 => format!("0 of {of} {unit} in use"),
        Allowance::Quota { .. } => {
            let left = humantime::format_duration(Duration::from_secs(resets_in.as_secs()));
            format!("{used} of {of} {unit} in use, starts again in {left}")
        }
    };
    if settings.key.is_service() {
        text.push_str(", by everybody together");
    }
    if settings.guard {
        let _ = write!(
            text,
            "; half of it is kept for clients that proved themselves, and others are refused \
             from {} on",
            of / 2
        );
    }
    let _ = match cause {
        Cause::Throttle { .. } => write!(text, "; for clients with a throttle verdict"),
        Cause::List { .. } => write!(text, "; for the clients of lists"),
        Cause::Service => {
            let services: Vec<_> = settings.services.iter().map(ToString::to_string).collect();
            write!(text, "; for {}", services.join(", "))
        }
    };
    if settings.action == LimitAction::Shadow {
        text.push_str(", in shadow");
    }
    text
}
