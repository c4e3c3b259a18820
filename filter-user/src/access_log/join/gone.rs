//! What is left of addresses that had to make room.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

/// Until when requests may be of what an address said that was forgotten.
///
/// *Shape*: a word for each hash, of all addresses with that hash: half a megabyte. Who fills it
/// makes more requests without a port ambiguous, and none another's.
#[derive(Debug)]
pub(super) struct Gone {
    until_unix_ms: Vec<u64>,
    hasher: RandomState,
}

const WORDS: usize = 65_536;

impl Gone {
    pub(super) fn new() -> Self {
        Self { until_unix_ms: vec![0; WORDS], hasher: RandomState::new() }
    }

    pub(super) fn until_unix_ms(&mut self, address: &IpAddr) -> u64 {
        self.word(address).map_or(0, |word| *word)
    }

    pub(super) fn forget(&mut self, address: &IpAddr, until_unix_ms: u64) {
        if let Some(word) = self.word(address) {
            *word = until_unix_ms.max(*word);
        }
    }

    fn word(&mut self, address: &IpAddr) -> Option<&mut u64> {
        let [a, b, ..] = self.hasher.hash_one(address).to_le_bytes();
        self.until_unix_ms.get_mut(usize::from(u16::from_le_bytes([a, b])))
    }
}
