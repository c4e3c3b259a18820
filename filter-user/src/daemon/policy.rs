//! The lists' way into the kernel: prepared first, let through once it is on disk.

use super::engine::Engine;
use crate::clock::Now;
use crate::datapath::ImageError;
use crate::policy::compile::Compiler;
use crate::policy::image::{Full, HostMemory, Image, Memory, Switch};
use crate::policy::list::List;
use crate::store::Write;
use filter_common::policy::{Line, Ref};
use ipnet::IpNet;

/// A change that packets don't see yet.
pub(super) enum Prepared {
    /// Words to be switched over.
    Switches(Vec<Switch>),
    /// A whole new image.
    Image(Image<HostMemory>),
}

/// Why the kernel doesn't get a policy.
#[derive(Debug, thiserror::Error)]
pub(super) enum PolicyError {
    /// It would be too large.
    #[error(
        "the compiled policy would take more than the {0} MB that `policy.memory_mb` allows: \
         raise it, or drop a list"
    )]
    TooLarge(u32),
    /// The kernel refused it.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The filter was taken off.
    #[error("the filter was taken off")]
    Detached,
}

/// Prefixes that are changed one by one; more of them make a whole new image.
const MAX_CHANGES: usize = 256;

/// Lines that an image has for changes at least: 256 KiB.
const MIN_SPARE: u32 = 4096;

/// An ended entry's removal is written down by itself, unless there are as many as this.
const MAX_RECORDS: usize = 1000;

/// Seconds that the two clocks may drift apart before the expiries in the image are
/// computed again.
const MAX_DRIFT_S: u64 = 1;

impl Engine {
    /// Prepares what follows from changes to entries of these prefixes.
    ///
    /// *Errors*: [`PolicyError`]; packets see nothing of it.
    pub(super) fn prepare(
        &mut self,
        prefixes: &[IpNet],
        now: Now,
    ) -> Result<Prepared, PolicyError> {
        let datapath = self.datapath.as_mut().ok_or(PolicyError::Detached)?;
        if let Some(image) = datapath.policy.image()
            && prefixes.len() <= MAX_CHANGES
        {
            let mut compiler = self.policy.compiler(unix_s(now));
            if let Ok(switches) = prepare_each(image, &mut compiler, prefixes) {
                return Ok(Prepared::Switches(switches));
            }
        }
        self.prepare_whole(now)
    }

    /// Prepares a whole new image.
    ///
    /// *Errors*: [`PolicyError`].
    pub(super) fn prepare_whole(&self, now: Now) -> Result<Prepared, PolicyError> {
        let bound = self.config.policy.memory_mb.get();
        let memory = HostMemory::new(lines_of(bound));
        let mut compiler = self.policy.compiler(unix_s(now));
        let image = Image::build(memory, &mut compiler, epoch_unix_s(now));
        image.map(Prepared::Image).map_err(|Full(_)| PolicyError::TooLarge(bound))
    }

    /// Lets packets see what was prepared. Returns when no packet sees the old policy.
    ///
    /// *Errors*: [`PolicyError`]; the old policy stays in force.
    pub(super) fn release(&mut self, prepared: Prepared) -> Result<(), PolicyError> {
        let bound = lines_of(self.config.policy.memory_mb.get());
        let policy = &mut self.datapath.as_mut().ok_or(PolicyError::Detached)?.policy;
        match prepared {
            Prepared::Switches(switches) => {
                if let Some(image) = policy.image() {
                    image.commit(&switches);
                }
            }
            Prepared::Image(image) => {
                let used = image.used_lines();
                let spare = (used / 4).max(MIN_SPARE);
                policy.install(image, used.saturating_add(spare).min(bound))?;
            }
        }
        Ok(())
    }

    /// Removes entries that have ended, and makes a new image when the one in force has
    /// little room left or its clock is off.
    pub(super) fn tend_policy(&mut self, now: Now) {
        if let Err(error) = self.remove_ended(now) {
            tracing::error!(%error, "entries that have ended can't be removed; the kernel ignores them");
        }
        if !self.wants_new_image(now) {
            return;
        }
        let made = self.prepare_whole(now).and_then(|prepared| self.release(prepared));
        if let Err(error) = made {
            tracing::error!(%error, "the policy's image can't be made anew");
        }
    }

    fn remove_ended(&mut self, now: Now) -> Result<(), Box<dyn std::error::Error>> {
        let seconds = unix_s(now);
        let take = |(name, list): (&str, &mut List)| {
            let ended = list.entries.take_ended(seconds);
            (!ended.is_empty()).then(|| (name.to_owned(), ended))
        };
        let ended: Vec<_> = self.policy.lists_mut().filter_map(take).collect();
        for (name, ended) in ended {
            let prepared = self.prepare(&ended, now)?;
            self.store_removal(&name, &ended)?;
            self.release(prepared)?;
            self.tell(now, "list", Some(name), format!("{} entries ended", ended.len()));
        }
        Ok(())
    }

    fn store_removal(&self, name: &str, removed: &[IpNet]) -> Result<(), crate::store::StoreError> {
        match self.policy.list(name) {
            Some(list) if removed.len() > MAX_RECORDS => {
                self.store.commit([Write::Entries(name, &list.entries)])
            }
            _ => self.store.commit(removed.iter().map(|prefix| Write::Entry(name, *prefix, None))),
        }
    }

    fn wants_new_image(&mut self, now: Now) -> bool {
        let bound = lines_of(self.config.policy.memory_mb.get());
        let Some(image) = self.datapath.as_mut().and_then(|datapath| datapath.policy.image())
        else {
            return false;
        };
        let drifted = image.epoch_unix_s().abs_diff(epoch_unix_s(now)) > MAX_DRIFT_S;
        let (used, capacity) = (image.used_lines(), image.memory().capacity());
        // An image as large as the bound has no room however often it is made.
        let tight = capacity - used < MIN_SPARE / 4 && image.built_lines() + MIN_SPARE < bound;
        tight || (drifted && image.has_expiries())
    }
}

fn prepare_each<M: Memory>(
    image: &mut Image<M>,
    compiler: &mut Compiler<'_>,
    prefixes: &[IpNet],
) -> Result<Vec<Switch>, Full> {
    let mut switches = Vec::new();
    for prefix in prefixes {
        switches.extend(match prefix {
            IpNet::V4(net) => {
                let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
                image.prepare(compiler, first, last)?
            }
            IpNet::V6(net) => {
                let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
                image.prepare(compiler, first, last)?
            }
        });
    }
    Ok(switches)
}

/// Lines of so many megabytes.
fn lines_of(megabytes: u32) -> u32 {
    let bytes = u64::from(megabytes) << 20;
    let lines = bytes / u64::try_from(size_of::<Line>()).unwrap_or(1);
    u32::try_from(lines).unwrap_or(u32::MAX).min(Ref::MAX_LINES)
}

pub(super) const fn unix_s(now: Now) -> u64 {
    now.unix_ms / 1000
}

/// When the kernel's clock was zero, in whole seconds; so an entry ends less than a
/// second late.
const fn epoch_unix_s(now: Now) -> u64 {
    now.unix_ms.saturating_sub(now.ktime_ns / 1_000_000) / 1000
}
