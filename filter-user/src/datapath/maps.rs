//! The maps, typed.

use super::DatapathError;
use super::limits::duplicate;
use crate::verdict::{VerdictIndex, Word};
use aya::Ebpf;
use aya::maps::{Array, HashMap, Map, MapData, MapError, PerCpuArray, PerCpuValues};
use filter_common::abi::address::ListId;
use filter_common::abi::client::ClientVerdict;
use filter_common::abi::config::HostConfig;
use filter_common::abi::counter::{Counters, ListCounters};
use filter_common::abi::width::{INDEX_WORDS, VerdictKey};
use zerocopy::transmute;

/// Handles on the maps that the daemon writes or reads.
///
/// Values cross as plain words: the ABI types are checked against their sizes.
pub struct Maps {
    config: Array<MapData, ConfigWords>,
    list_counters: PerCpuArray<MapData, [u64; 6]>,
    verdicts: HashMap<MapData, [u64; 3], [u64; 2]>,
    buckets: Array<MapData, u64>,
    index: VerdictIndex,
    counters: PerCpuArray<MapData, CounterWords>,
}

type ConfigWords = [u64; size_of::<HostConfig>() / 8];
type CounterWords = [u64; size_of::<Counters>() / 8];

impl Maps {
    /// Takes the maps out of a loaded object.
    ///
    /// *Errors*: [`DatapathError`], when the object isn't the filter's.
    pub fn take(ebpf: &mut Ebpf) -> Result<Self, DatapathError> {
        let config = Array::try_from(Map::Array(duplicate(ebpf, "CONFIG")?))?;
        let mut take = |name| ebpf.take_map(name).ok_or(DatapathError::Missing(name));
        let mut maps = Self {
            config,
            list_counters: PerCpuArray::try_from(take("LIST_COUNTERS")?)?,
            verdicts: HashMap::try_from(take("VERDICTS")?)?,
            buckets: Array::try_from(take("VERDICT_INDEX")?)?,
            index: VerdictIndex::default(),
            counters: PerCpuArray::try_from(take("COUNTERS")?)?,
        };
        maps.build_index()?;
        Ok(maps)
    }

    /// Replaces the host's settings, of which some stay once they are set:
    /// [`HostConfig::verdicts`], and the secrets for what is keyed with them. Which limits
    /// count is [`LimitMaps`](super::limits::LimitMaps)' to say, and stays as well.
    ///
    /// *Errors*: the kernel's.
    pub fn set_config(&mut self, mut config: HostConfig) -> Result<(), MapError> {
        let present = self.config()?;
        config.verdicts |= present.verdicts;
        if present.secret != 0 || !self.index.is_empty() {
            config.secret = present.secret;
        } else {
            self.index = VerdictIndex::new(config.secret);
        }
        if present.limit_secrets != [0; 2] {
            config.limit_secrets = present.limit_secrets;
        }
        config.limit_copies = present.limit_copies;
        config.guarded = present.guarded;
        let words: ConfigWords = transmute!(config);
        self.config.set(0, words, 0)
    }

    /// The host's settings.
    ///
    /// *Errors*: the kernel's.
    pub fn config(&self) -> Result<HostConfig, MapError> {
        self.config.get(&0, 0).map(|words| transmute!(words))
    }

    /// What all CPUs have counted of a list.
    ///
    /// *Errors*: the kernel's.
    pub fn list_counters(&self, list: ListId) -> Result<ListCounters, MapError> {
        let mut sum = ListCounters::default();
        for words in self.list_counters.get(&u32::from(list.0), 0)?.iter() {
            sum.add(&transmute!(*words));
        }
        Ok(sum)
    }

    /// Forgets what was counted of a list, for the next one with its number.
    ///
    /// *Errors*: the kernel's.
    pub fn clear_list_counters(&mut self, list: ListId) -> Result<(), MapError> {
        let cpus = self.list_counters.get(&u32::from(list.0), 0)?.len();
        let zeroes = PerCpuValues::try_from(vec![[0; 6]; cpus]);
        let zeroes = zeroes.map_err(MapError::IoError)?;
        self.list_counters.set(u32::from(list.0), zeroes, 0)
    }

    /// Decides about a client or a prefix, replacing what was decided before. The program
    /// asks for verdicts from the first one on.
    ///
    /// *Errors*: the kernel's; a full map is one.
    pub fn set_verdict(&mut self, key: VerdictKey, v: ClientVerdict) -> Result<(), MapError> {
        let config = self.config()?;
        if config.verdicts == 0 {
            self.set_config(HostConfig { verdicts: 1, ..config })?;
        }
        let is_new = !self.index.holds(&key);
        if let Err(error) = self.write_verdict(key, v) {
            if is_new {
                // A bucket that says too much costs look-ups and changes nothing.
                let _ = self.drop_from_index(&key);
            }
            return Err(error);
        }
        Ok(())
    }

    /// The index first: a packet must not miss a verdict that is there.
    fn write_verdict(&mut self, key: VerdictKey, v: ClientVerdict) -> Result<(), MapError> {
        if let Some(word) = self.index.add(key) {
            self.write_word(word)?;
        }
        let (key, value): ([u64; 3], [u64; 2]) = (transmute!(key), transmute!(v));
        self.verdicts.insert(key, value, 0)
    }

    /// Lifts what was decided about a client or a prefix; nothing to lift is no error.
    ///
    /// *Errors*: the kernel's.
    pub fn clear_verdict(&mut self, key: VerdictKey) -> Result<(), MapError> {
        absent_is_fine(self.verdicts.remove(&transmute!(key)))?;
        self.drop_from_index(&key)
    }

    fn drop_from_index(&mut self, key: &VerdictKey) -> Result<(), MapError> {
        self.index.remove(key).map_or(Ok(()), |word| self.write_word(word))
    }

    fn write_word(&mut self, word: Word) -> Result<(), MapError> {
        self.buckets.set(word.at, word.buckets, 0)
    }

    /// Counts the verdicts that an earlier daemon left, and mends buckets that it didn't come
    /// to write. A bit is only cleared if no verdict is behind it: no packet misses one.
    fn build_index(&mut self) -> Result<(), MapError> {
        let config = self.config()?;
        self.index = VerdictIndex::new(config.secret);
        if config.verdicts == 0 {
            return Ok(());
        }
        for (key, _) in self.verdicts()? {
            self.index.add(key);
        }
        for at in 0..INDEX_WORDS {
            let word = self.index.word(at);
            if self.buckets.get(&at, 0)? != word.buckets {
                self.write_word(word)?;
            }
        }
        Ok(())
    }

    /// Every verdict in the kernel, expired ones too.
    ///
    /// *Errors*: the kernel's.
    pub fn verdicts(&self) -> Result<Vec<(VerdictKey, ClientVerdict)>, MapError> {
        let pairs = self.verdicts.iter();
        pairs.map(|pair| pair.map(|(key, value)| (transmute!(key), transmute!(value)))).collect()
    }

    /// What all CPUs have counted.
    ///
    /// *Errors*: the kernel's.
    pub fn counters(&self) -> Result<Counters, MapError> {
        let mut sum = Counters::default();
        for words in self.counters.get(&0, 0)?.iter() {
            sum.add(&transmute!(*words));
        }
        Ok(sum)
    }
}

/// Removing what isn't there is no error.
pub(super) fn absent_is_fine(outcome: Result<(), MapError>) -> Result<(), MapError> {
    match outcome {
        Err(MapError::KeyNotFound) => Ok(()),
        Err(MapError::SyscallError(error))
            if error.io_error.raw_os_error() == Some(libc::ENOENT) =>
        {
            Ok(())
        }
        other => other,
    }
}
