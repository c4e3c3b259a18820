//! A policy image in the kernel: an array of lines that this process maps into its memory.
#![expect(unsafe_code, reason = "a map is created by a raw call and written through memory")]

use crate::policy::image::{HostMemory, Memory};
use aya::maps::{MapData, MapError};
use filter_common::policy::{LINE_WORDS, Line, Lines};
use memmap2::{MmapOptions, MmapRaw};
use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use zerocopy::IntoBytes;

/// An image's lines, as packets see them.
///
/// *Concurrency*: one writer, which is this; the program reads on every CPU.
#[derive(Debug)]
pub struct ImageMap {
    map: MapData,
    memory: MmapRaw,
    lines: u32,
}

/// An image that can't be brought into the kernel.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// There is no memory for it, or no permission.
    #[error("the kernel gave no map of {lines} lines for the address policy")]
    Create {
        /// Its size.
        lines: u32,
        /// Why.
        source: io::Error,
    },
    /// It can't be mapped.
    #[error("the address policy's map can't be mapped into memory")]
    Mapping(#[source] io::Error),
    /// It can't be put in force.
    #[error("the kernel refused the address policy's map: {0}")]
    Map(#[from] MapError),
}

impl ImageMap {
    /// Makes a map of so many lines, and copies an image to its start.
    ///
    /// *Errors*: [`ImageError`].
    pub fn new(image: &HostMemory, lines: u32) -> Result<Self, ImageError> {
        let fd = create(lines).map_err(|source| ImageError::Create { lines, source })?;
        let map = MapData::from_fd(fd)?;
        let len = usize::try_from(lines).unwrap_or(usize::MAX).saturating_mul(size_of::<Line>());
        let memory = MmapOptions::new().len(len).map_raw(&map.fd().as_fd());
        let memory = memory.map_err(ImageError::Mapping)?;
        let source: &[u8] = image.lines().as_bytes();
        let source = source.get(..len).unwrap_or(source);
        // SAFETY: the map has room for so many bytes, as was just seen to, and nobody else
        // knows of it yet.
        unsafe { memory.as_mut_ptr().copy_from_nonoverlapping(source.as_ptr(), source.len()) };
        Ok(Self { map, memory, lines })
    }

    /// The map, to be put in force.
    #[must_use]
    pub const fn map(&self) -> &MapData {
        &self.map
    }

    /// A word, which is inside the map.
    #[expect(clippy::cast_ptr_alignment, reason = "a map begins at a page")]
    fn word(&self, line: u32, word: usize) -> Option<*mut u32> {
        if line >= self.lines || word >= LINE_WORDS {
            return None;
        }
        let at = usize::try_from(line).ok()? * LINE_WORDS + word;
        // SAFETY: line and word were just checked against the map's size.
        Some(unsafe { self.memory.as_mut_ptr().cast::<u32>().add(at) })
    }
}

impl Lines for ImageMap {
    fn line(&self, index: u32) -> Option<&Line> {
        let first = self.word(index, 0)?.cast::<Line>();
        // SAFETY: the whole line is inside the map, which lives as long as `self`, and
        // only `&mut self` writes to it.
        Some(unsafe { &*first })
    }
}

impl Memory for ImageMap {
    fn capacity(&self) -> u32 {
        self.lines
    }

    fn write(&mut self, line: u32, word: usize, value: u32) {
        if let Some(at) = self.word(line, word) {
            // SAFETY: the word is inside the map. The program may read it at any time, a
            // word at a time.
            unsafe { at.write_volatile(value) };
        }
    }

    fn switch(&mut self, line: u32, word: usize, value: u32) {
        if let Some(at) = self.word(line, word) {
            // SAFETY: the word is inside the map and aligned.
            let at = unsafe { AtomicU32::from_ptr(at) };
            at.store(value, Ordering::Release);
        }
    }
}

/// The start of the kernel's `union bpf_attr` for `BPF_MAP_CREATE`.
///
/// *Source*: include/uapi/linux/bpf.h.
#[repr(C)]
#[derive(Default)]
struct CreateAttributes {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    map_flags: u32,
    inner_map_fd: u32,
    numa_node: u32,
    map_name: [u8; 16],
}

const BPF_MAP_CREATE: libc::c_long = 0;
const BPF_MAP_TYPE_ARRAY: u32 = 2;
const BPF_F_MMAPABLE: u32 = 1 << 10;
const BPF_F_INNER_MAP: u32 = 1 << 12;

/// The library has no way to a map of one's own whose descriptor can be had.
fn create(lines: u32) -> io::Result<OwnedFd> {
    let attributes = CreateAttributes {
        map_type: BPF_MAP_TYPE_ARRAY,
        key_size: 4,
        value_size: 64,
        max_entries: lines,
        map_flags: BPF_F_MMAPABLE | BPF_F_INNER_MAP,
        map_name: *b"POLICY_IMAGE\0\0\0\0",
        ..CreateAttributes::default()
    };
    let pointer = &raw const attributes;
    // SAFETY: the attributes live through the call, which reads as many bytes as it is told.
    let fd = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_MAP_CREATE, pointer, size_of::<CreateAttributes>())
    };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0).ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the kernel just gave it to us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
