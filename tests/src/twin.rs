//! The same filter twice, in the kernel and on the host, with the same rules.

use crate::kernel::{Copied, KernelFilter, Seen, Told};
use crate::rules::Rules;
use anyhow::Result;
use filter_common::abi::client::ClientVerdict;
use filter_common::abi::counter::Verdict;
use filter_common::abi::width::VerdictKey;
use filter_user::clock::Now;
use filter_user::replay::{HostTables, Outcome};

/// Both filters, which have seen the same frames.
pub struct Twins {
    host: HostTables,
    kernel: KernelFilter,
}

/// What the two did with one frame.
#[derive(Debug)]
pub struct Pair {
    /// On the host.
    pub host: Seen,
    /// In the kernel.
    pub kernel: Seen,
}

impl Twins {
    /// Loads the program and fills both filters' tables.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn new(rules: &Rules) -> Result<Self> {
        let mut kernel = KernelFilter::load()?;
        kernel.fill(rules)?;
        let mut host = HostTables::default();
        host.config = rules.config;
        host.set_limits(rules.limits.compile());
        let lists = rules.list_limits().into_iter();
        host.limits.lists.extend(lists.map(|(list, limit)| (list.0, limit)));
        host.hellos.rules.clone_from(&rules.hellos);
        host.policy = Some(rules.image()?);
        host.datagrams.set_budget(rules.budget);
        for (key, verdict) in &rules.verdicts {
            host.set_verdict(*key, *verdict);
        }
        Ok(Self { host, kernel })
    }

    /// Decides about a client or a prefix in both.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn set_verdict(&mut self, key: VerdictKey, verdict: ClientVerdict) -> Result<()> {
        self.host.set_verdict(key, verdict);
        Ok(self.kernel.maps.set_verdict(key, verdict)?)
    }

    /// Lifts that in both.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn clear_verdict(&mut self, key: VerdictKey) -> Result<()> {
        self.host.clear_verdict(&key);
        Ok(self.kernel.maps.clear_verdict(key)?)
    }

    /// Puts a frame through both. Their clocks differ by the time that this takes.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn run(&mut self, frame: &[u8]) -> Result<Pair> {
        let host = seen(&self.host.run(frame, Now::read().ktime_ns));
        let kernel = self.kernel.run(frame)?;
        Ok(Pair { host, kernel })
    }
}

impl Pair {
    /// Whether both did the same.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.host == self.kernel
    }
}

/// The host's outcome in the terms of the kernel's. A reset passes: the kernel has made one
/// of the frame.
fn seen(outcome: &Outcome) -> Seen {
    let dropped = outcome.decision.verdict == Verdict::DROP;
    Seen {
        action: if dropped { XDP_DROP } else { XDP_PASS },
        decision: outcome.decision,
        told: outcome.told.iter().map(|(record, stream)| Told::new(record, stream)).collect(),
        copied: outcome.copied.iter().map(|(record, bytes)| Copied::new(record, bytes)).collect(),
    }
}

const XDP_DROP: u32 = 1;
const XDP_PASS: u32 = 2;
