//! The compiled programs, embedded: an installed host needs no toolchain.

use aya::include_bytes_aligned;

/// The filter.
pub const FILTER: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/palisade-xdp"));

/// The filter's program in [`FILTER`].
pub const FILTER_PROGRAM: &str = "palisade";

/// Programs that differ only in how they look an address up.
pub const LOOKUP: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/lookup-xdp"));

/// Programs that differ only in how they meter a client.
pub const METERING: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/limit-xdp"));

/// Programs that benchmarks compare the filter with.
pub const BASELINE: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/baseline-xdp"));

/// A program that sends frames, for tests.
pub const FLOOD: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/flood-xdp"));
