//! What the program remembers of fingerprints and their clients.

use super::DatapathError;
use super::maps::absent_is_fine;
use aya::Ebpf;
use aya::maps::{HashMap, MapData, MapError};
use filter_common::abi::client::ClientKey;
use filter_common::abi::fingerprint::{ClientRecord, FINGERPRINT_CAPACITY, FingerprintRecord};
use filter_common::abi::rule::Parts;
use std::collections::BTreeMap;
use zerocopy::transmute;

type PartsWords = [u64; size_of::<Parts>() / 8];
type RecordWords = [u64; size_of::<FingerprintRecord>() / 8];
type KeyWords = [u64; size_of::<ClientKey>() / 8];
type ClientWords = [u64; size_of::<ClientRecord>() / 8];

/// The maps of what is remembered.
///
/// *Concurrency*: the program changes records meanwhile; one that is read may mix two states.
pub struct FingerprintMaps {
    fingerprints: HashMap<MapData, PartsWords, RecordWords>,
    clients: HashMap<MapData, KeyWords, ClientWords>,
}

/// Records from which on the daemon makes room, and how many it leaves then.
const FULL: usize = FINGERPRINT_CAPACITY as usize / 4 * 3;
const LEFT: usize = FINGERPRINT_CAPACITY as usize / 2;

impl FingerprintMaps {
    /// Takes the maps out of a loaded object.
    ///
    /// *Errors*: [`DatapathError`], when the object isn't the filter's.
    pub fn take(ebpf: &mut Ebpf) -> Result<Self, DatapathError> {
        let mut take = |name| ebpf.take_map(name).ok_or(DatapathError::Missing(name));
        Ok(Self {
            fingerprints: HashMap::try_from(take("FINGERPRINTS")?)?,
            clients: HashMap::try_from(take("CLIENT_HELLOS")?)?,
        })
    }

    /// All that is remembered of fingerprints and causes: at most 16,384 records.
    ///
    /// *Errors*: the kernel's.
    pub fn all(&self) -> Result<BTreeMap<Parts, FingerprintRecord>, MapError> {
        let pairs = self.fingerprints.iter();
        pairs.map(|pair| pair.map(|(key, record)| (transmute!(key), transmute!(record)))).collect()
    }

    /// What is remembered of a client.
    ///
    /// *Errors*: the kernel's.
    pub fn client(&self, client: ClientKey) -> Result<Option<ClientRecord>, MapError> {
        absent(self.clients.get(&transmute!(client), 0)).map(|found| found.map(|r| transmute!(r)))
    }

    /// Makes room for new fingerprints, once three quarters are taken, until half are: those with
    /// the fewest hellos go first, and of these the ones that weren't seen for longest. Returns
    /// how many.
    ///
    /// *Errors*: the kernel's.
    pub fn make_room(&mut self) -> Result<usize, MapError> {
        // Counting them costs less than reading them.
        if self.fingerprints.keys().count() < FULL {
            return Ok(0);
        }
        // A cause is no fingerprint: its number is the first word.
        let is_ja4 = |parts: &Parts| parts.a[0] > u64::from(u8::MAX);
        let mut all: Vec<_> = self.all()?.into_iter().filter(|(parts, _)| is_ja4(parts)).collect();
        all.sort_unstable_by_key(|(_, record)| (record.hellos, record.last_ns));
        let leaving = all.len().saturating_sub(LEFT);
        for (parts, _) in all.into_iter().take(leaving) {
            absent_is_fine(self.fingerprints.remove(&transmute!(parts)))?;
        }
        Ok(leaving)
    }
}

fn absent<T>(found: Result<T, MapError>) -> Result<Option<T>, MapError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(MapError::KeyNotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
