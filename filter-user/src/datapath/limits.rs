//! Limits in the kernel: put in force without a gap, read, cleared.

mod read;

use super::DatapathError;
use super::class::Classes;
use super::mapped::MappedArray;
use super::meter_map::MeterMap;
use crate::limit::Compiled;
use crate::limit::transition::{continued, counts_like, differs};
use aya::Ebpf;
use aya::maps::{Array, Map, MapData, MapError, PerCpuArray, PerCpuValues};
use filter_common::abi::address::ListId;
use filter_common::abi::config::HostConfig;
use filter_common::abi::limit::{
    Aggregate, CLASS_COUNT, ListLimit, Offender, PROFILE_COUNT, Plan, Profile, ProfileCounters,
    SERVICE_WORDS,
};
use filter_common::limit::key;
use std::os::fd::AsFd;
use zerocopy::transmute;

/// Handles on the maps of limits.
///
/// *Concurrency*: one writer beside [`Maps`](super::maps::Maps), in the same task: both
/// write the host's settings, each its own fields.
pub struct LimitMaps {
    config: Array<MapData, ConfigWords>,
    profiles: Array<MapData, ProfileWords>,
    services: Array<MapData, u64>,
    plans: Array<MapData, [u64; 2]>,
    lists: Array<MapData, u64>,
    aggregates: Array<MapData, AggregateWords>,
    counters: PerCpuArray<MapData, CounterWords>,
    offenders: MappedArray<Offender>,
    meters: MeterMap,
    classes: Classes,
    /// Numbers that are off, and have no meters left.
    clean: u64,
}

type ConfigWords = [u64; size_of::<HostConfig>() / 8];
type ProfileWords = [u64; size_of::<Profile>() / 8];
type AggregateWords = [u64; size_of::<Aggregate>() / 8];
type CounterWords = [u64; size_of::<ProfileCounters>() / 8];

impl LimitMaps {
    /// Takes the maps out of a loaded object.
    ///
    /// *Errors*: [`DatapathError`], when the object isn't the filter's.
    pub fn take(ebpf: &mut Ebpf) -> Result<Self, DatapathError> {
        let config = Array::try_from(Map::Array(duplicate(ebpf, "CONFIG")?))?;
        let meters = MeterMap::new(array(ebpf, "METERS")?)?;
        let offenders = MappedArray::new(array(ebpf, "OFFENDERS")?).map_err(MapError::IoError)?;
        let mut take = |name| ebpf.take_map(name).ok_or(DatapathError::Missing(name));
        let services = Array::try_from(take("SERVICES")?)?;
        let plans = Array::try_from(take("PLANS")?)?;
        Ok(Self {
            config,
            profiles: Array::try_from(take("PROFILES")?)?,
            classes: read_classes(&services, &plans)?,
            services,
            plans,
            lists: Array::try_from(take("LIST_LIMITS")?)?,
            aggregates: Array::try_from(take("AGGREGATES")?)?,
            counters: PerCpuArray::try_from(take("PROFILE_COUNTERS")?)?,
            offenders,
            meters,
            clean: 0,
        })
    }

    /// Puts limits in the place of those that are there.
    ///
    /// A limit that counts what the one with its number counted goes on from there: nobody
    /// gets a burst by the change, and nobody is locked out. What was counted under a
    /// number that is off or counts something else now is forgotten.
    ///
    /// A packet meets each limit as it was or as it will be. It may meet one new limit and
    /// another old one.
    ///
    /// *Errors*: the kernel's; what was done until then stays.
    pub fn apply(&mut self, compiled: &Compiled, now_ns: u64) -> Result<(), MapError> {
        let wanted = wanted(compiled);
        let present = self.present()?;
        let retired = retired(&present, &wanted, self.clean);
        self.retire(&present, retired)?;
        self.switch(&wanted, compiled.guarded, now_ns)?;
        let change = self.classes.change(compiled);
        for (class, plan) in change.plans {
            self.plans.set(class, [plan.low, plan.high], 0)?;
            self.classes.wrote_plan(class, plan);
        }
        for (at, word) in change.words {
            self.services.set(at, word, 0)?;
            self.classes.wrote_word(at, word);
        }
        let off = |number: &u32| !wanted[*number as usize].is_on();
        self.clean = (0..PROFILE_COUNT).filter(off).fold(0, |clean, number| clean | 1 << number);
        Ok(())
    }

    /// Forgets what was counted of a profile.
    ///
    /// *Errors*: the kernel's.
    pub fn clear_counters(&mut self, number: u32) -> Result<(), MapError> {
        let cpus = self.counters.get(&number, 0)?.len();
        let zeroes = PerCpuValues::try_from(vec![[0; _]; cpus]).map_err(MapError::IoError)?;
        self.counters.set(number, zeroes, 0)
    }

    /// Forgets what everybody has used of a profile.
    ///
    /// *Errors*: the kernel's.
    pub fn clear_meters(&mut self, number: u32) -> Result<(), MapError> {
        self.meters.clear(1 << (number % PROFILE_COUNT));
        self.aggregates.set(number, [0; _], 0)
    }

    /// Sets what a list limits its clients to; all zero is nothing.
    ///
    /// *Errors*: the kernel's.
    pub fn set_list_limit(&mut self, list: ListId, limit: ListLimit) -> Result<(), MapError> {
        let word: u64 = transmute!(limit);
        self.lists.set(u32::from(list.0), word, 0)
    }

    /// The copy of a profile that counts.
    fn profile(&self, number: u32) -> Result<Profile, MapError> {
        let copies = self.config()?.limit_copies;
        self.profiles.get(&(2 * number + copy(copies, number)), 0).map(|words| transmute!(words))
    }

    fn config(&self) -> Result<HostConfig, MapError> {
        self.config.get(&0, 0).map(|words| transmute!(words))
    }

    /// The copy of each profile that counts.
    fn present(&self) -> Result<[Profile; PROFILE_COUNT as usize], MapError> {
        let copies = self.config()?.limit_copies;
        let mut present = [Profile::default(); PROFILE_COUNT as usize];
        for (number, profile) in (0..PROFILE_COUNT).zip(&mut present) {
            let words = self.profiles.get(&(2 * number + copy(copies, number)), 0)?;
            *profile = transmute!(words);
        }
        Ok(present)
    }

    /// Switches profiles off, and forgets what was counted of them.
    fn retire(&mut self, present: &Profiles, numbers: u64) -> Result<(), MapError> {
        if numbers == 0 {
            return Ok(());
        }
        let mut left = *present;
        let gone = (0..PROFILE_COUNT).filter(|number| numbers >> number & 1 != 0);
        gone.clone().for_each(|number| left[number as usize] = Profile::default());
        let guarded = self.config()?.guarded != 0;
        self.switch(&left, guarded, 0)?;
        self.meters.clear(numbers);
        self.clear_offenders(numbers);
        for number in gone {
            self.aggregates.set(number, [0; _], 0)?;
            self.clear_counters(number)?;
        }
        Ok(())
    }

    /// Forgets who went over these profiles, or it would be held against others.
    fn clear_offenders(&mut self, numbers: u64) {
        let offenders = self.offenders.read(self.offenders.len());
        for (at, offender) in offenders.iter().enumerate() {
            if offender.count != 0 && numbers >> key::number(offender.tag) & 1 != 0 {
                self.offenders.write(at, &[Offender::default()]);
            }
        }
    }

    /// Writes the copies that don't count, and lets them count, all in one step.
    fn switch(&mut self, wanted: &Profiles, guarded: bool, now_ns: u64) -> Result<(), MapError> {
        let present = self.present()?;
        let mut config = self.config()?;
        for (number, (present, wanted)) in (0..PROFILE_COUNT).zip(present.iter().zip(wanted)) {
            if !differs(present, wanted) {
                continue;
            }
            config.limit_copies ^= 1 << number;
            let words: ProfileWords = transmute!(continued(present, wanted, now_ns));
            let at = 2 * number + copy(config.limit_copies, number);
            self.profiles.set(at, words, 0)?;
        }
        config.guarded = u64::from(guarded);
        let words: ConfigWords = transmute!(config);
        self.config.set(0, words, 0)
    }
}

type Profiles = [Profile; PROFILE_COUNT as usize];

const fn copy(copies: u64, number: u32) -> u32 {
    (copies >> number & 1 != 0) as u32
}

fn wanted(compiled: &Compiled) -> Profiles {
    let mut wanted = [Profile::default(); PROFILE_COUNT as usize];
    for (number, profile) in &compiled.profiles {
        if let Some(place) = wanted.get_mut(*number as usize) {
            *place = *profile;
        }
    }
    wanted
}

/// Numbers whose meters mean nothing any more, a bit each.
fn retired(present: &Profiles, wanted: &Profiles, clean: u64) -> u64 {
    let is_gone = |number: &u32| {
        let (present, wanted) = (&present[*number as usize], &wanted[*number as usize]);
        let kept = present.is_on() && wanted.is_on() && counts_like(present, wanted);
        !kept && (present.is_on() || clean >> number & 1 == 0)
    };
    (0..PROFILE_COUNT).filter(is_gone).fold(0, |gone, number| gone | 1 << number)
}

fn read_classes(
    services: &Array<MapData, u64>,
    plans: &Array<MapData, [u64; 2]>,
) -> Result<Classes, MapError> {
    let words: Result<Vec<_>, _> = (0..SERVICE_WORDS).map(|at| services.get(&at, 0)).collect();
    let plan = |class: u32| plans.get(&class, 0).map(|[low, high]| Plan { low, high });
    let plans: Result<Vec<_>, _> = (0..CLASS_COUNT).map(plan).collect();
    Ok(Classes::new(words?, plans?))
}

fn array<'a>(ebpf: &'a Ebpf, name: &'static str) -> Result<&'a MapData, DatapathError> {
    match ebpf.map(name) {
        Some(Map::Array(map)) => Ok(map),
        _ => Err(DatapathError::Missing(name)),
    }
}

/// A second handle on a map that stays where it is.
pub(super) fn duplicate(ebpf: &Ebpf, name: &'static str) -> Result<MapData, DatapathError> {
    let fd = array(ebpf, name)?.fd().as_fd().try_clone_to_owned();
    Ok(MapData::from_fd(fd.map_err(MapError::IoError)?)?)
}
