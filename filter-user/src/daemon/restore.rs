//! A new daemon takes in what was stored, and makes the kernel agree with it.

use super::engine::Engine;
use crate::classify::Rule;
use crate::clock::Now;
use crate::config::HostMode;
use crate::store::Saved;
use crate::verdict::{Verdict, client_of};
use aya::maps::MapError;
use std::collections::HashMap;

impl Engine {
    /// Takes in what was stored, and makes the kernel agree with it.
    ///
    /// *Errors*: the kernel's.
    pub(super) fn restore(
        &mut self,
        saved: Saved,
        mode: Option<HostMode>,
        now: Now,
    ) -> Result<(), MapError> {
        self.started = now;
        self.mode = mode.or(saved.mode).unwrap_or(self.config.mode);
        for (list, prefix, entry) in saved.entries {
            self.policy.add(list, prefix, entry);
        }
        for (ja4, rule) in saved.rules {
            let rule = Rule { lasts: rule.lasts(), comment: rule.comment };
            self.classifier.add_rule(ja4, rule);
        }
        self.restore_policy()?;
        self.restore_verdicts(saved.verdicts, now)?;
        self.write_config()
    }

    /// Compares the kernel's table with the lists, and mends the differences.
    fn restore_policy(&mut self) -> Result<(), MapError> {
        let wanted: HashMap<_, _> = self.policy.compiled().collect();
        let maps = self.maps()?;
        let present: HashMap<_, _> = maps.classes()?.into_iter().collect();
        for (prefix, class) in &wanted {
            if present.get(prefix) != Some(class) {
                maps.set_class(prefix, *class)?;
            }
        }
        for prefix in present.keys().filter(|prefix| !wanted.contains_key(*prefix)) {
            maps.clear_class(prefix)?;
        }
        Ok(())
    }

    /// The store knows why, the kernel knows what is in force: a verdict that only the
    /// kernel has is kept, one that only the store has is made again.
    fn restore_verdicts(
        &mut self,
        saved: Vec<(ipnet::IpNet, Verdict)>,
        now: Now,
    ) -> Result<(), MapError> {
        for (client, kernel) in self.maps()?.verdicts()? {
            let ends = now.unix_ms_of(kernel.expires_ns);
            if kernel.expires_ns > now.ktime_ns {
                let _ = self.verdicts.set(client, Verdict::from_kernel(&kernel, ends));
            } else {
                self.maps()?.clear_verdict(client)?;
            }
        }
        for (prefix, verdict) in saved {
            if verdict.expires_unix_ms > now.unix_ms {
                self.enforce(client_of(prefix.addr()), verdict, now)?;
            }
        }
        Ok(())
    }
}
