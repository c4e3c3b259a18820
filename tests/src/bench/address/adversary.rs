//! Lists that are as bad for our table as a list can be.
//!
//! A node is direct if it has more entries than two leaves one after the other hold, and
//! its bits come from their number. So the worst is just above that: few bits, all entries
//! in one slot of them; then leaves below leaves, and answers that expire.

use crate::prefixes::Prefixes;
use filter_user::policy::note::Note;
use rand::rngs::StdRng;
use rand::seq::index;
use rand::{Rng, SeedableRng};

/// Single addresses, no two of them neighbours, that make a node direct: each is two
/// entries, and two leaves have room for 64.
const CROWD: u32 = 33;

const SEED: u64 = 666;

/// Each entry ends at a time that few others share, so that there are many classes and
/// each asks for the time.
pub(super) fn note(entry: usize, now_unix_s: u64) -> Note {
    let entry = u64::try_from(entry).unwrap_or(0);
    Note { expires_unix_s: now_unix_s + 100_000 + entry % ENDS, ..Note::default() }
}

/// Distinct ends: as many as leave the image below the daemon's default bound.
const ENDS: u64 = 400_000;

/// So many IPv4 addresses. Each of some slots of the root has a crowd within 1,024
/// addresses, which is one slot of the direct node below.
pub(super) fn v4(count: usize) -> Prefixes {
    let mut rng = StdRng::seed_from_u64(SEED);
    let crowds = count.div_ceil(usize::try_from(CROWD).unwrap_or(1));
    let slots = index::sample(&mut rng, 1 << 16, crowds.min(1 << 16));
    let mut v4 = Vec::with_capacity(count);
    for slot in slots.iter().filter_map(|slot| u32::try_from(slot).ok()) {
        let first = slot << 16 | rng.random_range(0..64) << 10;
        v4.extend((0..CROWD).map(|at| (first + 2 * at, 32)));
    }
    v4.truncate(count);
    Prefixes { v4, v6: Vec::new() }
}

/// So many IPv6 addresses. A few networks, in each a crowd of networks, in each a crowd
/// again, in each a crowd of addresses: all four windows are looked at, and three of them
/// are as deep as can be.
pub(super) fn v6(count: usize) -> Prefixes {
    let mut rng = StdRng::seed_from_u64(SEED);
    let few = u32::try_from(count).unwrap_or(u32::MAX).div_ceil(CROWD.pow(3));
    let mut v6 = Vec::with_capacity(count);
    for first in (0..few).map(|network| 0x2600_0000 + 2 * network) {
        for second in spread(CROWD, &mut rng) {
            for third in spread(CROWD, &mut rng) {
                for host in spread(CROWD, &mut rng) {
                    let windows = [first, second, third, host].into_iter();
                    let address = windows.fold(0, |above, window| above << 32 | u128::from(window));
                    v6.push((address, 128));
                }
            }
        }
    }
    v6.truncate(count);
    Prefixes { v4: Vec::new(), v6 }
}

/// Every other number of a few behind one another.
fn spread(count: u32, rng: &mut StdRng) -> impl Iterator<Item = u32> + use<> {
    let first = rng.random::<u32>() & 0xffff_f000;
    (0..count).map(move |at| first + 2 * at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_are_as_large_as_asked_and_each_prefix_is_there_once() {
        let (mut v4, mut v6) = (v4(100_000).v4, v6(208_006).v6);
        v4.sort_unstable();
        v4.dedup();
        v6.sort_unstable();
        v6.dedup();
        assert_eq!((v4.len(), v6.len()), (100_000, 208_006));
    }
}
