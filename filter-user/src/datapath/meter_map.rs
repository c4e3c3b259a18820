//! Meters in the kernel, which this process maps into its memory.
#![expect(unsafe_code, reason = "a map is read and written through memory")]

use aya::maps::{MapData, MapError};
use filter_common::abi::limit::{METER_SETS, Meter, MeterSet, WAYS};
use filter_common::limit::key::{Place, number};
use memmap2::{MmapOptions, MmapRaw};
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};

/// All meters.
///
/// *Concurrency*: the program moves words by compare-and-swap on every CPU, and so does this;
/// it writes a tag behind the word of a meter that it took.
#[derive(Debug)]
pub(super) struct MeterMap {
    memory: MmapRaw,
}

/// Words of a set.
const SET_WORDS: usize = size_of::<MeterSet>() / 8;

impl MeterMap {
    /// Maps the meters.
    ///
    /// *Errors*: the kernel's; a map of another shape.
    pub(super) fn new(map: &MapData) -> Result<Self, MapError> {
        let info = map.info()?;
        let size = u32::try_from(size_of::<MeterSet>()).unwrap_or(0);
        if (info.value_size(), info.max_entries()) != (size, METER_SETS) {
            return Err(MapError::IoError(io::ErrorKind::InvalidInput.into()));
        }
        let len = size_of::<MeterSet>() * METER_SETS as usize;
        let memory = MmapOptions::new().len(len).map_raw(&map.fd().as_fd());
        Ok(Self { memory: memory.map_err(MapError::IoError)? })
    }

    /// A word of a set: two for each way, the tag first.
    #[expect(clippy::cast_ptr_alignment, reason = "a map begins at a page")]
    fn word(&self, set: u32, word: usize) -> Option<&AtomicU64> {
        if set >= METER_SETS || word >= SET_WORDS {
            return None;
        }
        let at = set as usize * SET_WORDS + word;
        // SAFETY: set and word were just checked against the map's size.
        let at = unsafe { self.memory.as_mut_ptr().cast::<u64>().add(at) };
        // SAFETY: the word is aligned, inside the map, which lives as long as `self`, and
        // moved by atomic operations alone.
        Some(unsafe { AtomicU64::from_ptr(at) })
    }

    fn pair(&self, set: u32, way: u32) -> Option<(&AtomicU64, &AtomicU64)> {
        let first = 2 * way as usize;
        Some((self.word(set, first)?, self.word(set, first + 1)?))
    }

    /// Every meter that somebody has, with its set. Those of one moment: others come and
    /// go meanwhile.
    pub(super) fn meters(&self) -> impl Iterator<Item = (u32, Meter)> {
        let places = (0..METER_SETS).flat_map(|set| (0..WAYS).map(move |way| (set, way)));
        places.filter_map(|(set, way)| {
            let (tag, word) = self.pair(set, way)?;
            let tag = tag.load(Ordering::Relaxed);
            (tag != 0).then(|| (set, Meter { tag, word: word.load(Ordering::Relaxed) }))
        })
    }

    /// A key's word, if it has a meter.
    pub(super) fn find(&self, place: &Place) -> Option<u64> {
        let pairs = (0..WAYS).filter_map(|way| self.pair(place.set, way));
        let mut own = pairs.filter(|(tag, _)| tag.load(Ordering::Relaxed) == place.tag);
        own.next().map(|(_, word)| word.load(Ordering::Relaxed))
    }

    /// Empties the meters of these profiles, a bit each. They have to be off: nobody comes
    /// back then.
    pub(super) fn clear(&self, numbers: u64) {
        for set in 0..METER_SETS {
            for way in 0..WAYS {
                if let Some((tag, word)) = self.pair(set, way) {
                    clear(tag, word, numbers);
                }
            }
        }
    }
}

/// The word goes first, as when a packet takes a meter over: nobody inherits what another
/// key used. If somebody else took the meter meanwhile, it stays his.
fn clear(tag: &AtomicU64, word: &AtomicU64, numbers: u64) {
    let (seen, used) = (tag.load(Ordering::Relaxed), word.load(Ordering::Relaxed));
    if seen == 0 || numbers >> number(seen) & 1 == 0 {
        return;
    }
    // Whoever moved it has it.
    let _ = word.compare_exchange(used, 0, Ordering::SeqCst, Ordering::Relaxed);
    let _ = tag.compare_exchange(seen, 0, Ordering::SeqCst, Ordering::Relaxed);
}
