//! Once a second: guards that rise and fall, and keys that are over their limits.

use crate::clock::Now;
use crate::config::HostMode;
use crate::daemon::engine::Engine;
use crate::limit::guard::GuardEvent;
use crate::limit::offence::{Offence, Stage};
use crate::limit::whom::Whom;
use crate::limit::{LimitAction, NamedLimit};
use aya::maps::MapError;
use std::time::Duration;

impl Engine {
    /// Looks at what the kernel counted and noted, and tells of it.
    ///
    /// A second's look costs a system call for each guarded profile, and a copy of the
    /// offenders, 192 KiB.
    pub(in crate::daemon) fn tend_limits(&mut self, now: Now) {
        if let Err(error) = self.retry_limits(now) {
            tracing::warn!(%error, "limits are on disk, and not yet in force");
        }
        let watched = self.watch_guards(now).and_then(|()| self.watch_offenders(now));
        if let Err(error) = watched {
            tracing::warn!(%error, "what the limits counted can't be read");
        }
    }

    pub(super) fn watch_guards(&mut self, now: Now) -> Result<(), MapError> {
        let guarded = self.limits.profiles().iter();
        let guarded = guarded.filter(|(_, limit)| limit.settings.guard && limit.settings.is_on());
        let guarded: Vec<_> = guarded.map(|(name, limit)| (name.clone(), limit.number)).collect();
        for (name, number) in guarded {
            let counters = self.limit_maps()?.counters(number)?;
            // In monitor mode and in shadow the threshold is the same.
            let refused = counters.refused.packets + counters.would_refuse.packets;
            match self.guard.handle(&name, refused, counters.preferred, now.ktime_ns) {
                Some(GuardEvent::Entered) => self.tell_guard(now, &name, ENTERED),
                Some(GuardEvent::Left) => self.tell_guard(now, &name, LEFT),
                None => {}
            }
        }
        Ok(())
    }

    fn tell_guard(&self, now: Now, name: &str, what: &str) {
        tracing::info!(limit = name, "the service {what}");
        self.tell(now, "guard", Some(name.into()), format!("service limit {name} {what}"));
    }

    fn watch_offenders(&mut self, now: Now) -> Result<(), MapError> {
        let offenders = self.limit_maps()?.offenders();
        let told = self.offences.handle(offenders.into_iter(), now.ktime_ns);
        if told.is_empty() {
            return Ok(());
        }
        let maps = self.limit_maps()?;
        let (secrets, profiles) = (maps.secrets()?, maps.profiles()?);
        let names = self.names_of_fingerprints()?;
        for offence in told {
            let profile = profiles.iter().find(|(number, _)| *number == offence.number);
            let limit = self.limits.by_number(offence.number);
            if let (Some((_, profile)), Some((name, limit))) = (profile, limit) {
                let whom = Whom::of(&secrets, profile, offence.set, offence.tag);
                let whom = whom.named(|name| names.get(&name).cloned());
                let text = text_of(&offence, name, self.acts(limit), now);
                self.tell(now, "limit", Some(whom), text);
            }
        }
        Ok(())
    }

    /// Whether what is over a limit is refused.
    fn acts(&self, limit: &NamedLimit) -> bool {
        self.mode() == HostMode::Enforce && limit.settings.action != LimitAction::Shadow
    }
}

const ENTERED: &str = "is over its threshold: clients that proved themselves pass first";
const LEFT: &str = "is back under its threshold";

fn text_of(offence: &Offence, name: &str, acts: bool, now: Now) -> String {
    let Offence { stage, first_ns, last_ns, count, .. } = *offence;
    let refused = if acts { "refused" } else { "over it, not refused" };
    let span =
        |ns: u64| humantime::format_duration(Duration::from_secs(ns / 1_000_000_000)).to_string();
    match stage {
        Stage::Began => format!("went over limit {name}: {count} packets {refused} so far"),
        Stage::Lasts => {
            let lasts = span(now.ktime_ns.saturating_sub(first_ns));
            format!("is still over limit {name}: {count} packets {refused} in {lasts}")
        }
        Stage::Ended => {
            let lasted = span(last_ns.saturating_sub(first_ns));
            format!("is no longer over limit {name}: {count} packets {refused} in {lasted}")
        }
    }
}
