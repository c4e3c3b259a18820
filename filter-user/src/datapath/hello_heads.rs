//! Hellos that the program is putting together, as far as userspace reads them.

use super::DatapathError;
use super::mapped::MappedArray;
use aya::Ebpf;
use aya::maps::Map;
use filter_common::abi::hello::{HELLO_WAYS, HelloHead, HelloSet};

/// The sets of hellos, mapped into memory.
///
/// *Concurrency*: the program changes them meanwhile. A head that is read while it changes
/// may be of two hellos; it is gone at the next look.
#[derive(Debug)]
pub struct HelloHeads {
    sets: MappedArray<HelloSet>,
}

impl HelloHeads {
    /// Maps the sets of a loaded object.
    ///
    /// *Errors*: [`DatapathError`], when the object isn't the filter's.
    pub fn take(ebpf: &Ebpf) -> Result<Self, DatapathError> {
        let missing = DatapathError::Missing("map HELLO_SETS");
        let Some(Map::Array(map)) = ebpf.map("HELLO_SETS") else {
            return Err(missing);
        };
        MappedArray::new(map).map(|sets| Self { sets }).map_err(|_| missing)
    }

    /// Hellos that aren't finished.
    #[must_use]
    pub fn open(&self) -> Vec<HelloHead> {
        let sets = self.sets.read(self.sets.len());
        let heads = sets.iter().flat_map(|set| set.ways);
        heads.filter(|head| head.state == HelloHead::OPEN).collect()
    }

    /// Forgets all of them. Nothing may run meanwhile.
    pub fn clear(&mut self) {
        // Whoever takes the place has to clear which bytes were there.
        let way = HelloHead { scattered: 1, ..HelloHead::default() };
        self.sets.fill(&[HelloSet { busy: 0, ways: [way; HELLO_WAYS as usize] }]);
    }
}
