//! Limits as the kernel wants them: profiles by number, plans by class, classes by service.
//!
//! Services that the same limits are for make a class, and a class has a plan: first a look
//! at the limits of everybody together that act, then the limits of each client, then the
//! charge of everybody's. Within each of the three the order is that of the numbers, which
//! limits keep as long as they count the same.

use super::service::{Service, name_of};
use super::settings::{LimitAction, LimitSettings};
use filter_common::abi::limit::{
    CLASS_COUNT, OTHER, Plan, Profile, SERVICE_WORDS, TCP_NO_PORT, UDP_PORTS,
};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Words of the services' classes.
const WORDS: usize = SERVICE_WORDS as usize;

/// Classes that limits can make, counting the one that has no limits.
///
/// Half of those that the kernel has room for, so that there is room for all the new ones
/// while packets still meet the old. At the limit a further limit is refused.
pub const MAX_CLASSES: usize = CLASS_COUNT as usize / 2;

/// Everything that the kernel is told of limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// Profiles by number, in order, without continuity: each clock starts at zero.
    pub profiles: Vec<(u32, Profile)>,
    /// A class for each service, a byte each, in the words of the `SERVICES` map.
    pub services: Box<[u64]>,
    /// A plan for each class; the first is empty.
    pub plans: Vec<Plan>,
    /// Whether some profile is guarded.
    pub guarded: bool,
}

/// Limits that don't fit into the kernel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// A service has too many.
    #[error(
        "{service} would have {steps} steps, and {} are possible; a limit of clients is one, one \
         of everybody together two. Take the service from another limit first",
        Plan::MAX_STEPS
    )]
    Steps {
        /// The first such service.
        service: String,
        /// How many it would have.
        steps: usize,
    },
    /// The limits' services overlap in too many ways.
    #[error(
        "services would fall into more than {MAX_CLASSES} classes by their limits; let some limits \
         have the same services"
    )]
    Classes,
}

impl Default for Compiled {
    fn default() -> Self {
        Self {
            profiles: Vec::new(),
            services: vec![0; WORDS].into(),
            plans: vec![Plan::default()],
            guarded: false,
        }
    }
}

impl Compiled {
    /// Compiles limits, by their numbers.
    ///
    /// *Errors*: [`CompileError`].
    pub(super) fn of<'a>(
        limits: impl Iterator<Item = (u32, &'a LimitSettings)>,
    ) -> Result<Self, CompileError> {
        let limits: Limits<'_> = limits.filter(|(_, settings)| settings.is_on()).collect();
        let (services, plans) = classify(&limits)?;
        let profiles = limits.iter().map(|(number, settings)| (*number, settings.profile(*number)));
        let profiles: Vec<_> = profiles.collect();
        let guarded = profiles.iter().any(|(_, profile)| profile.flags & Profile::GUARDED != 0);
        Ok(Self { profiles, services, plans, guarded })
    }

    /// The plan of a service's packets.
    #[must_use]
    pub fn plan(&self, service: u32) -> Plan {
        self.plans.get(usize::from(class(&self.services, service))).copied().unwrap_or_default()
    }
}

/// A service's class, a byte of one of the words.
#[must_use]
pub fn class(services: &[u64], service: u32) -> u8 {
    let word = usize::try_from(service / 8).ok().and_then(|at| services.get(at));
    word.map_or(0, |word| (word >> (service % 8 * 8)).to_le_bytes()[0])
}

/// Limits that are on, by their numbers.
type Limits<'a> = BTreeMap<u32, &'a LimitSettings>;

/// Gives services that the same limits are for the same class.
fn classify(limits: &Limits<'_>) -> Result<(Box<[u64]>, Vec<Plan>), CompileError> {
    let ranges: Vec<_> = limits.iter().flat_map(|(number, s)| ranges(*number, s)).collect();
    // Between two of these the limits don't change.
    let mut cuts = BTreeSet::from([0, OTHER + 1]);
    cuts.extend(ranges.iter().flat_map(|(_, range)| [*range.start(), range.end() + 1]));
    let cuts: Vec<u32> = cuts.into_iter().collect();
    let mut bytes = vec![0_u8; 8 * WORDS];
    let mut plans = vec![Plan::default()];
    let mut classes = BTreeMap::from([(0, 0)]);
    for (from, to) in cuts.iter().zip(&cuts[1..]) {
        let here = ranges.iter().filter(|(_, range)| range.contains(from));
        let mask = here.fold(0_u64, |mask, (number, _)| mask | 1 << number);
        if let Entry::Vacant(new) = classes.entry(mask) {
            if plans.len() == MAX_CLASSES {
                return Err(CompileError::Classes);
            }
            new.insert(plans.len());
            plans.push(plan(limits, mask, *from)?);
        }
        bytes[*from as usize..*to as usize].fill(classes[&mask].to_le_bytes()[0]);
    }
    let (words, _) = bytes.as_chunks::<8>();
    Ok((words.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect(), plans))
}

/// The kernel's numbers of what a limit is for. What only TCP has is charged to nothing else,
/// which saves others a step.
fn ranges(number: u32, settings: &LimitSettings) -> Vec<(u32, RangeInclusive<u32>)> {
    let whole = settings.services.iter().flat_map(Service::numbers);
    let parts = if settings.unit.is_tcp_only() { &TCP[..] } else { &EVERYTHING };
    let clip = |range: RangeInclusive<u32>| {
        let part = move |(first, last): &(u32, u32)| {
            (*first).max(*range.start())..=(*last).min(*range.end())
        };
        parts.iter().map(part)
    };
    let clipped = whole.flat_map(clip).filter(|range| !range.is_empty());
    clipped.map(|range| (number, range)).collect()
}

const EVERYTHING: [(u32, u32); 1] = [(0, OTHER)];
const TCP: [(u32, u32); 2] = [(0, UDP_PORTS - 1), (TCP_NO_PORT, TCP_NO_PORT)];

/// The steps of a service that these limits are for.
fn plan(limits: &Limits<'_>, mask: u64, service: u32) -> Result<Plan, CompileError> {
    let here = || limits.iter().filter(|(number, _)| mask >> **number & 1 != 0);
    let together = || here().filter(|(_, settings)| settings.key.is_service());
    // What only counts would say nothing at a look.
    let looks = together().filter(|(_, settings)| settings.action != LimitAction::Shadow);
    let looks = looks.map(|(number, _)| Plan::LOOK | u64::from(*number));
    let clients = here().filter(|(_, settings)| !settings.key.is_service());
    let charges = clients.chain(together()).map(|(number, _)| Plan::CHARGE | u64::from(*number));
    let steps: Vec<u64> = looks.chain(charges).collect();
    if steps.len() > Plan::MAX_STEPS {
        return Err(CompileError::Steps { service: name_of(service), steps: steps.len() });
    }
    Ok(steps.into_iter().rev().fold(Plan::default(), Plan::after))
}
