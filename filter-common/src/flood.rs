//! What the tests' flood generator sends: copies of one IPv4 frame, each from a source of
//! its own.
//!
//! Sums are taken over little-endian words, as the program has them in its registers: a
//! one's complement sum is the same in either byte order, but for the order of its own
//! bytes (RFC 1071 section 2).

use crate::abi::assert_layout;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Words of eight bytes that are written of each frame: Ethernet, IPv4 and TCP headers
/// without options, and the two bytes behind them.
pub const HEADER_WORDS: usize = 7;

/// Bytes of [`HEADER_WORDS`]; a frame has at least as many.
pub const HEADER_LEN: usize = HEADER_WORDS * 8;

/// How frames are made.
///
/// *Shape*: 96 bytes, the one element of the generator's map.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct FloodPlan {
    /// The headers, zero where each frame has something of its own.
    pub headers: [u64; HEADER_WORDS],
    /// Sum of the IPv4 header.
    pub network_sum: u64,
    /// Sum of the pseudo header, the transport header and the payload.
    pub transport_sum: u64,
    /// The first source, in host order.
    pub first: u32,
    /// Sources from the first one on; zero stands for all 2^32.
    pub count: u32,
    /// The interface that frames leave by.
    pub interface: u32,
    /// [`FloodPlan::TCP`] or [`FloodPlan::UDP`].
    pub protocol: u32,
    /// Nanoseconds from one frame to the next; zero is as fast as can be.
    pub gap_ns: u64,
}

assert_layout!(FloodPlan, size 96, align 8, network_sum at 56, first at 72, gap_ns at 88);

impl FloodPlan {
    /// Frames have a sequence number, and their checksum where TCP has it.
    pub const TCP: u32 = 6;
    /// Frames have their checksum where UDP has it.
    pub const UDP: u32 = 17;

    /// The source that a random number stands for.
    #[inline(always)]
    #[must_use]
    pub const fn source(&self, random: u32) -> u32 {
        if self.count == 0 { random } else { self.first.wrapping_add(random % self.count) }
    }

    /// When a frame after the one that was due at `due_ns` is due. A pause is made up for as
    /// far as it was short.
    #[inline(always)]
    #[must_use]
    pub const fn due_after(&self, due_ns: u64, now_ns: u64) -> u64 {
        let since_ns = now_ns.saturating_sub(MADE_UP_NS);
        self.gap_ns + if due_ns > since_ns { due_ns } else { since_ns }
    }

    /// The headers of one frame. Source port and sequence number are any numbers.
    #[inline(always)]
    #[must_use]
    pub const fn stamped(&self, source: u32, port: u16, sequence: u32) -> [u64; HEADER_WORDS] {
        let source = source.swap_bytes() as u64;
        let port = port as u64;
        let sequence = if self.protocol == Self::TCP { sequence as u64 } else { 0 };
        let network = checksum(self.network_sum + halves(source));
        let transport = checksum(self.transport_sum + halves(source) + port + halves(sequence));
        let mut headers = self.headers;
        headers[3] |= network | source << 16;
        headers[4] |= port << 16 | sequence << 48;
        if self.protocol == Self::TCP {
            headers[5] |= sequence >> 16;
            headers[6] |= transport << 16;
        } else {
            headers[5] |= transport;
        }
        headers
    }
}

/// The longest pause that is made up for: what follows it in a burst is small against what
/// a host queues.
const MADE_UP_NS: u64 = 5_000_000;

#[inline(always)]
const fn halves(word: u64) -> u64 {
    (word & 0xffff) + (word >> 16 & 0xffff)
}

/// Folds a sum below 2^32 and complements it.
#[inline(always)]
const fn checksum(sum: u64) -> u64 {
    halves(halves(sum)) ^ 0xffff
}

/// Taking a frame apart is the host's work.
#[cfg(not(target_arch = "bpf"))]
mod template;

#[cfg(test)]
mod tests;
