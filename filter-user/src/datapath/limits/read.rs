//! What there is, what was used and what was counted.

use super::LimitMaps;
use crate::limit::top::Usage;
use aya::maps::MapError;
use filter_common::abi::limit::{Meter, Offender, PROFILE_COUNT, Profile, ProfileCounters};
use filter_common::limit::key::{Place, Secrets};
use zerocopy::transmute;

impl LimitMaps {
    /// What all CPUs have counted of a profile.
    ///
    /// *Errors*: the kernel's.
    pub fn counters(&self, number: u32) -> Result<ProfileCounters, MapError> {
        let mut sum = ProfileCounters::default();
        for words in self.counters.get(&number, 0)?.iter() {
            sum.add(&transmute!(*words));
        }
        Ok(sum)
    }

    /// Every meter that somebody has, with its set.
    pub fn meters(&self) -> impl Iterator<Item = (u32, Meter)> {
        self.meters.meters()
    }

    /// A key's word, if it has a meter.
    #[must_use]
    pub fn meter(&self, place: &Place) -> Option<u64> {
        self.meters.find(place)
    }

    /// What a word says now of a profile; `None` when that is off.
    #[must_use]
    pub fn used(&self, number: u32, word: u64, now_ns: u64) -> Option<Usage> {
        let profile = self.profile(number).ok().filter(Profile::is_on)?;
        Some(Usage::of(&profile, word, now_ns))
    }

    /// The word of a profile that counts everybody together.
    ///
    /// *Errors*: the kernel's.
    pub fn aggregate(&self, number: u32) -> Result<u64, MapError> {
        Ok(self.aggregates.get(&number, 0)?[0])
    }

    /// Keys that went over, those of former times as well.
    #[must_use]
    pub fn offenders(&self) -> Vec<Offender> {
        let mut offenders = self.offenders.read(self.offenders.len());
        offenders.retain(|offender| offender.count != 0);
        offenders
    }

    /// The profiles in force, by number; those that are off aren't.
    ///
    /// *Errors*: the kernel's.
    pub fn profiles(&self) -> Result<Vec<(u32, Profile)>, MapError> {
        let numbered = (0..PROFILE_COUNT).zip(self.present()?);
        Ok(numbered.filter(|(_, profile)| profile.is_on()).collect())
    }

    /// What keys the meters.
    ///
    /// *Errors*: the kernel's.
    pub fn secrets(&self) -> Result<Secrets, MapError> {
        Ok(self.config()?.limit_secrets)
    }
}
