//! Rules on `ClientHello`s in the kernel.

use super::DatapathError;
use aya::Ebpf;
use aya::maps::{HashMap, MapData, MapError, PerCpuArray, PerCpuValues};
use filter_common::abi::rule::{Rule, RuleCounters, RuleKey};
use std::collections::BTreeMap;
use zerocopy::transmute;

type KeyWords = [u64; size_of::<RuleKey>() / 8];
type RuleWords = [u64; size_of::<Rule>() / 8];
type CounterWords = [u64; size_of::<RuleCounters>() / 8];

/// The maps of rules on `ClientHello`s.
pub struct RuleMaps {
    rules: HashMap<MapData, KeyWords, RuleWords>,
    counters: PerCpuArray<MapData, CounterWords>,
}

impl RuleMaps {
    /// Takes the maps out of a loaded object.
    ///
    /// *Errors*: [`DatapathError`], when the object isn't the filter's.
    pub fn take(ebpf: &mut Ebpf) -> Result<Self, DatapathError> {
        let mut take = |name| ebpf.take_map(name).ok_or(DatapathError::Missing(name));
        Ok(Self {
            rules: HashMap::try_from(take("RULES")?)?,
            counters: PerCpuArray::try_from(take("RULE_COUNTERS")?)?,
        })
    }

    /// Adds a rule, or puts it in the place of one on the same.
    ///
    /// *Errors*: the kernel's; a full map is one.
    pub fn set(&mut self, key: RuleKey, rule: Rule) -> Result<(), MapError> {
        let (key, rule): (KeyWords, RuleWords) = (transmute!(key), transmute!(rule));
        self.rules.insert(key, rule, 0)
    }

    /// Removes a rule; one that isn't there is no error.
    ///
    /// *Errors*: the kernel's.
    pub fn remove(&mut self, key: RuleKey) -> Result<(), MapError> {
        super::maps::absent_is_fine(self.rules.remove(&transmute!(key)))
    }

    /// The numbers of the rules that are there.
    ///
    /// *Errors*: the kernel's.
    pub fn numbers(&self) -> Result<BTreeMap<RuleKey, u32>, MapError> {
        let pairs = self.rules.iter().map(|pair| {
            let (key, rule): (RuleKey, Rule) = pair.map(|(k, r)| (transmute!(k), transmute!(r)))?;
            Ok((key, rule.number))
        });
        pairs.collect()
    }

    /// Makes these the only rules. Those that stay are in force throughout.
    ///
    /// *Errors*: the kernel's.
    pub fn replace(&mut self, wanted: &BTreeMap<RuleKey, Rule>) -> Result<(), MapError> {
        let present: Result<Vec<KeyWords>, _> = self.rules.keys().collect();
        for key in present? {
            let key: RuleKey = transmute!(key);
            if !wanted.contains_key(&key) {
                self.remove(key)?;
            }
        }
        wanted.iter().try_for_each(|(key, rule)| self.set(*key, *rule))
    }

    /// What all CPUs have counted of a rule.
    ///
    /// *Errors*: the kernel's.
    pub fn counters(&self, number: u32) -> Result<RuleCounters, MapError> {
        let mut sum = RuleCounters::default();
        for words in self.counters.get(&number, 0)?.iter() {
            let one: RuleCounters = transmute!(*words);
            sum.matched += one.matched;
            sum.ended += one.ended;
        }
        Ok(sum)
    }

    /// Counts a hello for a rule that the kernel never finds, as one on hellos over QUIC: nobody
    /// else counts there.
    ///
    /// *Errors*: the kernel's.
    pub fn count(&mut self, number: u32, ended: bool) -> Result<(), MapError> {
        let mut words: Vec<CounterWords> = self.counters.get(&number, 0)?.iter().copied().collect();
        if let Some(first) = words.first_mut() {
            let mut counters: RuleCounters = transmute!(*first);
            counters.matched += 1;
            counters.ended += u64::from(ended);
            *first = transmute!(counters);
        }
        let words = PerCpuValues::try_from(words).map_err(MapError::IoError)?;
        self.counters.set(number, words, 0)
    }

    /// Forgets what was counted of a rule, for the next one with its number.
    ///
    /// *Errors*: the kernel's.
    pub fn clear_counters(&mut self, number: u32) -> Result<(), MapError> {
        let cpus = self.counters.get(&number, 0)?.len();
        let zeroes = PerCpuValues::try_from(vec![[0; 2]; cpus]).map_err(MapError::IoError)?;
        self.counters.set(number, zeroes, 0)
    }
}
