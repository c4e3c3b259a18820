//! An array map in this process's memory: tests fill and read millions of elements.
#![expect(unsafe_code, reason = "a map is reached through memory")]

use aya::maps::{MapData, MapError};
use memmap2::{MmapOptions, MmapRaw};
use std::io;
use std::marker::PhantomData;
use std::os::fd::AsFd;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// An array map whose elements are `E`s.
///
/// *Concurrency*: copies are made a byte at a time; a program that runs meanwhile sees
/// elements half written.
#[derive(Debug)]
pub struct MappedArray<E> {
    memory: MmapRaw,
    len: usize,
    element: PhantomData<E>,
}

impl<E> MappedArray<E> {
    /// Maps an array.
    ///
    /// *Errors*: the kernel's; elements of another size, an array that can't be mapped.
    pub(super) fn new(map: &MapData) -> io::Result<Self> {
        let info = map.info().map_err(|error| match error {
            MapError::SyscallError(error) => error.io_error,
            other => io::Error::other(other),
        })?;
        let same = usize::try_from(info.value_size()).is_ok_and(|size| size == size_of::<E>());
        // The kernel rounds elements up to eight bytes.
        if !same || !size_of::<E>().is_multiple_of(8) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let len = usize::try_from(info.max_entries()).unwrap_or(0);
        let memory = MmapOptions::new().len(len * size_of::<E>()).map_raw(&map.fd().as_fd())?;
        Ok(Self { memory, len, element: PhantomData })
    }

    /// How many elements there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none; the kernel makes no such map.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<E: FromBytes + IntoBytes + Immutable + Copy> MappedArray<E> {
    /// Fills the whole array with elements, which are repeated to its end.
    pub fn fill(&mut self, elements: &[E]) {
        let mut at = 0;
        while at < self.len && !elements.is_empty() {
            let some = &elements[..elements.len().min(self.len - at)];
            self.write(at, some);
            at += some.len();
        }
    }

    /// Copies elements into the array, from an index on; what is beyond its end is left out.
    pub fn write(&mut self, first: usize, elements: &[E]) {
        let count = elements.len().min(self.len.saturating_sub(first));
        if count == 0 {
            return;
        }
        // SAFETY: `first` is below the length, as `count` isn't zero.
        let to = unsafe { self.memory.as_mut_ptr().cast::<E>().add(first) };
        // SAFETY: from there on there are `count` elements in the map, which is mapped as
        // long as `self` lives and is no Rust object that could overlap.
        unsafe { to.copy_from_nonoverlapping(elements.as_ptr(), count) };
    }

    /// The first elements; at most all.
    #[must_use]
    pub fn read(&self, count: usize) -> Vec<E> {
        let count = count.min(self.len);
        let mut elements = vec![E::new_zeroed(); count];
        let from = self.memory.as_ptr().cast::<E>();
        // SAFETY: the map has `count` elements, and any bytes are an element.
        unsafe { elements.as_mut_ptr().copy_from_nonoverlapping(from, count) };
        elements
    }
}
