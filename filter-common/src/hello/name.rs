//! Names that rules look for: the server's, and the application's protocol.
//!
//! A name is looked up by a keyed hash of its bytes from the last to the first, so that each
//! suffix has its own on the way.

use super::bytes::place_of;
use crate::abi::hello::StreamBytes;
use crate::hash::mix;
use crate::ja4::{Loop, Span, Step};

/// Suffixes of a server's name that are looked for, a power of two: its last labels.
pub(super) const SUFFIXES: usize = 8;

/// Bytes of the longest name of a server or protocol. A longer one matches no rule.
pub const MAX_NAME_LEN: u32 = 255;

/// Hashes of a hello's names.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Names {
    /// The whole name of the server.
    pub(super) server: u64,
    /// Its suffixes that start with a dot, the shortest first.
    pub(super) suffixes: [u64; SUFFIXES],
    /// How many there are.
    pub(super) count: u32,
    reserved: u32,
    /// The first protocol.
    pub(super) protocol: u64,
    /// The hash so far.
    hash: u64,
}

/// The hash of a name as rules write it.
#[must_use]
pub fn hash_name(secret: u64, name: &[u8]) -> u64 {
    name.iter().rev().fold(start(secret), |hash, byte| follow(hash, *byte))
}

#[inline(always)]
const fn start(secret: u64) -> u64 {
    mix(secret, 0x6e61_6d65)
}

#[inline(always)]
const fn follow(hash: u64, byte: u8) -> u64 {
    mix(hash, byte.to_ascii_lowercase() as u64)
}

impl Names {
    /// Reads the server's name, in the bytes of this span.
    #[inline(always)]
    pub(super) fn read_server<L: Loop>(
        &mut self,
        secret: u64,
        bytes: &StreamBytes,
        mut span: Span,
        repeat: &L,
    ) {
        self.count = 0;
        // Servers take the name of the root at the end for nothing.
        let last = bytes[place_of(span.start + span.len.wrapping_sub(1))];
        let is_rooted = span.len > 1 && last == b'.';
        span.len -= u32::from(is_rooted);
        self.read(secret, bytes, span, repeat);
        self.server = self.hash;
    }

    /// Reads the first protocol.
    #[inline(always)]
    pub(super) fn read_protocol<L: Loop>(
        &mut self,
        secret: u64,
        bytes: &StreamBytes,
        span: Span,
        repeat: &L,
    ) {
        self.read(secret, bytes, span, repeat);
        self.protocol = self.hash;
    }

    /// A suffix by its number, from one on; zero is none.
    #[inline(always)]
    pub(super) const fn suffix(&self, number: u32) -> u64 {
        if number == 0 {
            return 0;
        }
        self.suffixes[(number as usize - 1) & (SUFFIXES - 1)]
    }

    #[inline(always)]
    fn read<L: Loop>(&mut self, secret: u64, bytes: &StreamBytes, span: Span, repeat: &L) {
        self.hash = start(secret);
        if span.len <= MAX_NAME_LEN {
            repeat.repeat(span.len, &mut Backward { names: self, bytes, span });
        } else {
            // No rule's: those are hashes of bytes.
            self.hash = 0;
        }
    }
}

/// Takes a byte in each step, from the last on.
struct Backward<'a> {
    names: &'a mut Names,
    bytes: &'a StreamBytes,
    span: Span,
}

impl Step for Backward<'_> {
    fn step(&mut self, index: u32) -> bool {
        let Self { names, bytes, span } = self;
        let byte = bytes[place_of(span.start + span.len - 1 - index)];
        names.hash = follow(names.hash, byte);
        if byte == b'.' && (names.count as usize) < SUFFIXES {
            names.suffixes[names.count as usize & (SUFFIXES - 1)] = names.hash;
            names.count += 1;
        }
        false
    }
}
