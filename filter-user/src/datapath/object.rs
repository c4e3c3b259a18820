//! The compiled programs, embedded: an installed host needs no toolchain.

use aya::maps::{MapError, ProgramArray};
use aya::programs::{Program, ProgramError, ProgramFd, Xdp};
use aya::{Ebpf, include_bytes_aligned};
use filter_common::abi::program::{HELLO_PROGRAM, LIMIT_PROGRAM, PROGRAM_COUNT};

/// The filter.
pub const FILTER: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/palisade-xdp"));

/// The filter's first program in [`FILTER`]: the one that is attached.
pub const FILTER_PROGRAM: &str = "palisade";

/// The programs that it goes on with, each with its number.
const NEXT_PROGRAMS: [(u32, &str); PROGRAM_COUNT as usize] =
    [(LIMIT_PROGRAM, "palisade_limit"), (HELLO_PROGRAM, "palisade_hello")];

/// Why the filter's programs can't be put together.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// One was refused.
    #[error("the kernel refused the program {0}: {1}")]
    Program(&'static str, ProgramError),
    /// The others can't be told where it is.
    #[error("the filter's programs can't be put together: {0}")]
    Map(#[from] MapError),
    /// The object lacks it: a build gone wrong.
    #[error("the embedded object has no {0}")]
    Missing(&'static str),
}

/// Loads the programs that the first one goes on with, and tells it where they are: all, or none
/// if one is refused. The first one has to be loaded before: an earlier filter may be running
/// on these maps.
///
/// *Errors*: [`LinkError`].
pub(super) fn link_programs(ebpf: &mut Ebpf) -> Result<(), LinkError> {
    let mut loaded = Vec::new();
    for (number, name) in NEXT_PROGRAMS {
        let program = ebpf.program_mut(name).ok_or(LinkError::Missing(name))?;
        loaded.push((number, load(program).map_err(|error| LinkError::Program(name, error))?));
    }
    let map = ebpf.map_mut("PROGRAMS").ok_or(LinkError::Missing("map PROGRAMS"))?;
    let mut map = ProgramArray::try_from(map)?;
    loaded.iter().try_for_each(|(number, fd)| map.set(*number, fd, 0))?;
    Ok(())
}

fn load(program: &mut Program) -> Result<ProgramFd, ProgramError> {
    let program: &mut Xdp = program.try_into()?;
    program.load()?;
    Ok(program.fd()?.try_clone()?)
}

/// Programs that differ only in how they look an address up.
pub const LOOKUP: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/lookup-xdp"));

/// Programs that differ only in how they meter a client.
pub const METERING: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/limit-xdp"));

/// Programs that benchmarks compare the filter with.
pub const BASELINE: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/baseline-xdp"));

/// A program that sends frames, for tests.
pub const FLOOD: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/flood-xdp"));

/// A program that feeds a filter with segments, for benchmarks.
pub const FEEDING: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/feed-xdp"));
