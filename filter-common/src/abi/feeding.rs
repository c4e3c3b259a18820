//! What the program that feeds a filter in benchmarks does to its frame.

use super::assert_layout;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What a frame gets that differs from the others.
///
/// *Shape*: 16 bytes, numbers as they lie on the wire.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Stamp {
    /// Source port.
    pub port: u16,
    /// TCP checksum.
    pub checksum: u16,
    /// Sequence number.
    pub sequence: [u16; 2],
    /// Acknowledgement number.
    pub acknowledgement: [u16; 2],
    /// Where another number goes, in the host's order; zero: nowhere.
    pub at: u16,
    /// That number.
    pub value: u16,
}

assert_layout!(Stamp, size 16, align 2, sequence at 4, at at 12);

/// How many there are, a power of two.
pub const STAMPS: u32 = 128;

/// Where the TCP header starts: behind Ethernet and IPv4 without options.
pub const TCP_OFFSET: usize = 34;
