//! Where packets seem to come from.

use crate::prefixes::{Kept, Prefix};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

/// Sources in the order in which packets come from them.
pub(super) struct Pattern {
    /// Its name.
    pub(super) name: &'static str,
    /// The sources; repeated, if there are fewer than the array has room for.
    pub(super) sources: Vec<[u64; 2]>,
}

/// How many sources there are at most: as many as the program's array has.
const SOURCES: usize = 1 << 20;

/// How many there are of the pattern `64k`.
const FEW: usize = 1 << 16;

/// The patterns of a set.
pub(super) fn patterns<A: Kept>(prefixes: &[Prefix<A>]) -> Vec<Pattern> {
    let mut rng = StdRng::seed_from_u64(SEED);
    let anywhere = |rng: &mut StdRng| A::FIRST.drawn(0, rng);
    let mut few = covered(prefixes, FEW, &mut rng);
    few.shuffle(&mut rng);
    vec![
        Pattern::new::<A>("repeat", covered(prefixes, 1, &mut rng)),
        Pattern::new::<A>("64k", few),
        Pattern::new::<A>("random", (0..SOURCES).map(|_| anywhere(&mut rng)).collect()),
        covered_everywhere(prefixes),
    ]
}

/// Addresses, each inside of a random prefix.
pub(super) fn covered_everywhere<A: Kept>(prefixes: &[Prefix<A>]) -> Pattern {
    let mut rng = StdRng::seed_from_u64(SEED);
    Pattern::new::<A>("covered", covered(prefixes, SOURCES, &mut rng))
}

const SEED: u64 = 77;

fn covered<A: Kept>(prefixes: &[Prefix<A>], count: usize, rng: &mut StdRng) -> Vec<A> {
    let one = |_| {
        let (address, len) = prefixes[rng.random_range(0..prefixes.len())];
        address.drawn(len, rng)
    };
    (0..count).map(one).collect()
}

impl Pattern {
    fn new<A: Kept>(name: &'static str, sources: Vec<A>) -> Self {
        Self { name, sources: sources.into_iter().map(A::words).collect() }
    }
}
