//! Prefixes that nest and cluster about as measured ones do.

use super::{Kept, Prefix};
use rand::Rng;
use rand::rngs::StdRng;
use std::collections::HashSet;

/// IPv4 prefixes of these lengths: half of them inside a shorter one, a quarter right
/// behind another.
pub(super) fn v4(lengths: &[(u8, usize)], rng: &mut StdRng) -> Vec<Prefix<u32>> {
    let anywhere = |rng: &mut StdRng| rng.random_range(0x0100_0000..0xe000_0000_u32);
    let mut all = Growing { inside: 0.5, behind: 0.25, ..Growing::new(anywhere) };
    all.grow(lengths, rng)
}

/// IPv6 prefixes of these lengths: a quarter of them inside a shorter one, and nearly all
/// in blocks that registries gave out.
pub(super) fn v6(lengths: &[(u8, usize)], rng: &mut StdRng) -> Vec<Prefix<u128>> {
    let blocks: Vec<u128> = (0..BLOCKS).map(|_| block(rng)).collect();
    let anywhere = move |rng: &mut StdRng| {
        // A product: some blocks have hundreds of prefixes, most have a few.
        let at = rng.random_range(0..BLOCKS) * rng.random_range(0..BLOCKS) / BLOCKS;
        blocks[at] | rng.random::<u128>() >> 32
    };
    let mut all = Growing { inside: 0.2, behind: 0.15, ..Growing::new(anywhere) };
    all.grow(lengths, rng)
}

/// A /32 in the space of one of the registries.
fn block(rng: &mut StdRng) -> u128 {
    let registry = REGISTRIES[rng.random_range(0..REGISTRIES.len())];
    (registry | u128::from(rng.random::<u16>())) << 96
}

const BLOCKS: usize = 50_000;
const REGISTRIES: [u128; 8] = [
    0x2001_0000,
    0x2400_0000,
    0x2600_0000,
    0x2602_0000,
    0x2804_0000,
    0x2a00_0000,
    0x2a02_0000,
    0x2a10_0000,
];

struct Growing<A, F> {
    inside: f64,
    behind: f64,
    anywhere: F,
    all: Vec<Prefix<A>>,
    known: HashSet<Prefix<A>>,
}

impl<A: Kept, F: Fn(&mut StdRng) -> A> Growing<A, F> {
    fn new(anywhere: F) -> Self {
        Self { inside: 0.0, behind: 0.0, anywhere, all: Vec::new(), known: HashSet::new() }
    }

    /// The shorter ones first, so that the longer ones find them.
    fn grow(&mut self, lengths: &[(u8, usize)], rng: &mut StdRng) -> Vec<Prefix<A>> {
        for (len, count) in lengths {
            let end = self.all.len() + count;
            while self.all.len() < end {
                let prefix = (self.next(*len, rng).network(*len), *len);
                if self.known.insert(prefix) {
                    self.all.push(prefix);
                }
            }
        }
        std::mem::take(&mut self.all)
    }

    fn next(&self, len: u8, rng: &mut StdRng) -> A {
        let chance: f64 = rng.random();
        if self.all.is_empty() || chance > self.inside + self.behind {
            return (self.anywhere)(rng);
        }
        let (address, shorter) = self.all[rng.random_range(0..self.all.len())];
        if chance < self.inside {
            return address.drawn(shorter, rng);
        }
        address.last(len).next().unwrap_or(address)
    }
}
