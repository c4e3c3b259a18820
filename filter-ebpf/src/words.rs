//! Words in maps that several CPUs move: meters, and marks of proven clients.
#![expect(unsafe_code, reason = "map values are reached by pointers that the verifier checks")]

use crate::opaque::{opaque, opaque_u32};
use core::intrinsics::{AtomicOrdering, atomic_cxchg};
use filter_common::abi::limit::{MeterSet, ProvenLine, WAYS};
use filter_common::limit::meter::{Meters, Word};
use filter_common::limit::proven::{self, Marks};

/// A word that other CPUs move as well.
pub(crate) struct MapWord(pub(crate) *mut u64);

impl Word for MapWord {
    #[inline(always)]
    fn load(&self) -> u64 {
        // SAFETY: the pointer came from a map for this call. Other CPUs write the word whole.
        unsafe { self.0.read_volatile() }
    }

    #[inline(always)]
    fn store(&self, next: u64) {
        // SAFETY: as above.
        unsafe { self.0.write_volatile(next) };
    }

    #[inline(always)]
    fn swap(&self, seen: u64, next: u64) -> u64 {
        // SAFETY: as above.
        let (before, _) = unsafe {
            atomic_cxchg::<_, { AtomicOrdering::SeqCst }, { AtomicOrdering::SeqCst }>(
                self.0, seen, next,
            )
        };
        before
    }
}

/// An element of `METERS`.
pub(crate) struct MapMeters(pub(crate) *mut MeterSet);

impl MapMeters {
    #[inline(always)]
    fn at(&self, index: u32) -> MapWord {
        // SAFETY: the set has two words a way, and ways are below that; the verifier sees to it.
        MapWord(unsafe { self.0.cast::<u64>().add(index as usize) })
    }
}

impl Meters for MapMeters {
    type Word = MapWord;

    #[inline(always)]
    fn tag(&self, way: u32) -> MapWord {
        self.at(2 * way)
    }

    #[inline(always)]
    fn word(&self, way: u32) -> MapWord {
        self.at(2 * way + 1)
    }

    #[inline(always)]
    fn way(&self, way: u32) -> u32 {
        opaque_u32(way) & (WAYS - 1)
    }
}

/// An element of `PROVEN`.
pub(crate) struct MapMarks(pub(crate) *mut ProvenLine);

impl MapMarks {
    #[inline(always)]
    fn at(&self, way: u32) -> *mut u64 {
        let way = opaque(way as usize) & (proven::WAYS as usize - 1);
        // SAFETY: the line has as many words as ways, and the index is below that.
        unsafe { self.0.cast::<u64>().add(way) }
    }
}

impl Marks for MapMarks {
    #[inline(always)]
    fn load(&self, way: u32) -> u64 {
        // SAFETY: the pointer came from the map for this call. Other CPUs write words whole.
        unsafe { self.at(way).read_volatile() }
    }

    #[inline(always)]
    fn store(&self, way: u32, mark: u64) {
        // SAFETY: as above.
        unsafe { self.at(way).write_volatile(mark) };
    }
}
