//! Where packets seem to come from.

use crate::frame::source::{PLAIN_V4, PLAIN_V6, Source};
use filter_common::wire::address::Address;
use rand::Rng;
use rand::rngs::StdRng;
use std::collections::HashSet;

/// How many sources there are: as many as the programs' array has.
pub(super) const SOURCES: usize = 1 << 20;

/// How many there are of [`Pattern::Few`].
const FEW: usize = 1 << 16;

/// Both families.
pub(super) const FAMILIES: [Family; 2] = [
    Family { name: "IPv4", prefix: "", is_v4: true },
    Family { name: "IPv6", prefix: "v6/", is_v4: false },
];

/// A family of addresses.
#[derive(Clone, Copy)]
pub(super) struct Family {
    /// Its name.
    pub(super) name: &'static str,
    /// What the names of its cases start with.
    pub(super) prefix: &'static str,
    is_v4: bool,
}

impl Family {
    /// A source of frames that are parsed as this family's.
    pub(super) const fn plain(self) -> Source {
        if self.is_v4 { PLAIN_V4 } else { PLAIN_V6 }
    }

    /// Any address at all.
    fn anybody(self, rng: &mut StdRng) -> [u64; 2] {
        if self.is_v4 {
            let Address { high, low } = Address::v4(rng.random());
            [high, low]
        } else {
            [rng.random(), rng.random()]
        }
    }

    /// So many of them, of which no two are the same client.
    pub(super) fn clients(self, count: usize, rng: &mut StdRng) -> Vec<[u64; 2]> {
        let mut taken = HashSet::with_capacity(count);
        let client = |address: &[u64; 2]| address[usize::from(self.is_v4)];
        let mut clients = Vec::with_capacity(count);
        while clients.len() < count {
            let address = self.anybody(rng);
            if taken.insert(client(&address)) {
                clients.push(address);
            }
        }
        clients
    }

    /// As many as there are places, without a look at whether they repeat.
    pub(super) fn strangers(self, rng: &mut StdRng) -> Vec<[u64; 2]> {
        (0..SOURCES).map(|_| self.anybody(rng)).collect()
    }
}

/// In what order packets come from them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// One.
    Repeat,
    /// Each of 65,536 in its turn.
    Few,
    /// Any.
    Random,
}

impl Pattern {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Repeat, Self::Few, Self::Random];

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Repeat => "repeat",
            Self::Few => "64k",
            Self::Random => "random",
        }
    }

    /// How many of a set of [`SOURCES`] have their turn.
    pub(super) const fn count(self) -> usize {
        match self {
            Self::Repeat => 1,
            Self::Few => FEW,
            Self::Random => SOURCES,
        }
    }
}
