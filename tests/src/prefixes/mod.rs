//! Large sets of prefixes: measured ones if they are at hand, else generated ones.

mod generate;
mod lengths;

use anyhow::{Context, Result, ensure};
use filter_common::abi::Mode;
use filter_common::abi::address::ListId;
use filter_common::wire::address::Address;
use filter_user::policy::AddressPolicy;
use filter_user::policy::bits::Bits;
use filter_user::policy::entries::{Collected, Entries, Family};
use filter_user::policy::list::{List, ListAction, ListSettings};
use filter_user::policy::note::Note;
use filter_user::policy::parse_prefix;
use ipnet::IpNet;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A prefix: its first address and its length.
pub type Prefix<A> = (A, u8);

/// Prefixes of both families, each once.
#[derive(Clone, Debug, Default)]
pub struct Prefixes {
    /// IPv4.
    pub v4: Vec<Prefix<u32>>,
    /// IPv6.
    pub v6: Vec<Prefix<u128>>,
}

/// A family that prefixes are kept of.
pub trait Kept: Family {
    /// `v4` or `v6`.
    const NAME: &str;

    /// Those of this family.
    fn of(prefixes: &Prefixes) -> &[Prefix<Self>];
    /// A random address inside the prefix of this length around this one.
    #[must_use]
    fn drawn(self, len: u8, rng: &mut StdRng) -> Self;
    /// The address as the kernel's maps have it.
    fn words(self) -> [u64; 2];
    /// The address that these words are.
    fn of_words(words: [u64; 2]) -> Self;
}

impl Kept for u32 {
    const NAME: &str = "v4";

    fn of(prefixes: &Prefixes) -> &[Prefix<Self>] {
        &prefixes.v4
    }

    fn drawn(self, len: u8, rng: &mut StdRng) -> Self {
        self.network(len) | rng.random::<Self>() & Self::MAX.unbounded_shr(u32::from(len))
    }

    fn words(self) -> [u64; 2] {
        let address = Address::v4(self);
        [address.high, address.low]
    }

    fn of_words([high, low]: [u64; 2]) -> Self {
        Address { high, low }.tail()
    }
}

impl Kept for u128 {
    const NAME: &str = "v6";

    fn of(prefixes: &Prefixes) -> &[Prefix<Self>] {
        &prefixes.v6
    }

    fn drawn(self, len: u8, rng: &mut StdRng) -> Self {
        self.network(len) | rng.random::<Self>() & Self::MAX.unbounded_shr(u32::from(len))
    }

    fn words(self) -> [u64; 2] {
        let half = |bits: Self| u64::try_from(bits & Self::from(u64::MAX)).unwrap_or(0);
        [half(self >> 64), half(self)]
    }

    fn of_words([high, low]: [u64; 2]) -> Self {
        Self::from(high) << 64 | Self::from(low)
    }
}

/// The name of the variable that says where the measured sets are.
pub const DATA_VARIABLE: &str = "PALISADE_DATA";

/// What [`full`] says of sets that were measured.
pub const MEASURED: &str = "measured sets";
/// What [`full`] says of sets that were generated.
pub const GENERATED: &str = "generated";

/// The full sets, and where they are from: the measured ones from the folder that
/// `PALISADE_DATA` names or from `../shared/data` beside the workspace, else generated ones.
///
/// # Errors
///
/// A file that is there and can't be read.
pub fn full() -> Result<(Prefixes, &'static str)> {
    let folder = folders().into_iter().find(|folder| folder.join(FILES[0]).exists());
    let Some(folder) = folder else {
        return Ok((generated(), GENERATED));
    };
    let mut prefixes = Prefixes::default();
    for file in FILES {
        read(&folder.join(file), &mut prefixes)?;
    }
    Ok((prefixes, MEASURED))
}

/// Sets of the same sizes and lengths as the measured ones, the same ones each time.
#[must_use]
pub fn generated() -> Prefixes {
    let mut rng = StdRng::seed_from_u64(SEED);
    Prefixes { v4: generate::v4(lengths::V4, &mut rng), v6: generate::v6(lengths::V6, &mut rng) }
}

const FILES: [&str; 2] = ["prefixes4.txt.xz", "prefixes6.txt.xz"];
const SEED: u64 = 4_242;

fn folders() -> Vec<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let named = std::env::var_os(DATA_VARIABLE).map(PathBuf::from);
    named.into_iter().chain([workspace.join("../shared/data")]).collect()
}

fn read(path: &Path, into: &mut Prefixes) -> Result<()> {
    let output = Command::new("xz").arg("-dc").arg(path).output().context("xz can't be started")?;
    ensure!(output.status.success(), "xz can't unpack {}", path.display());
    for line in String::from_utf8(output.stdout)?.lines() {
        match parse_prefix(line)?.prefix {
            IpNet::V4(net) => into.v4.push((net.network().to_bits(), net.prefix_len())),
            IpNet::V6(net) => into.v6.push((net.network().to_bits(), net.prefix_len())),
        }
    }
    Ok(())
}

impl Prefixes {
    /// So many of each family at random, the same ones each time; all if there are fewer.
    #[must_use]
    pub fn sample(&self, count: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(SEED);
        Self { v4: sample(&self.v4, count, &mut rng), v6: sample(&self.v6, count, &mut rng) }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// A list's text, a prefix a line.
    #[must_use]
    pub fn text(&self) -> String {
        let v4 = self.v4.iter().map(|(address, len)| address.prefix(*len));
        let v6 = self.v6.iter().map(|(address, len)| address.prefix(*len));
        v4.chain(v6).fold(String::new(), |text, prefix| text + &prefix.to_string() + "\n")
    }

    /// A policy that blocks them, dealt over so many lists: with one, neighbours are the
    /// same to a packet and merge; with several hardly any do.
    #[must_use]
    pub fn policy(&self, lists: u16, note: impl Fn(usize) -> Note) -> AddressPolicy {
        let mut dealt: Vec<_> = (0..lists).map(|_| Collected::default()).collect();
        let v4 = self.v4.iter().map(|(a, len)| (number_of_list(*a, *len, lists), a.prefix(*len)));
        let v6 = self.v6.iter().map(|(a, len)| (number_of_list(*a, *len, lists), a.prefix(*len)));
        for (at, (list, prefix)) in v4.chain(v6).enumerate() {
            dealt[usize::from(list)].push(prefix, note(at));
        }
        let mut policy = AddressPolicy::default();
        for (list, collected) in (0..).zip(dealt) {
            policy.put(&format!("list{list}"), block_list(list, collected.finish().0));
        }
        policy
    }
}

/// Which of so many lists a prefix is dealt to.
pub fn number_of_list<A: Bits>(address: A, len: u8, lists: u16) -> u16 {
    let windows = (0..u32::from(A::WIDTH) / 32).map(|window| u64::from(address.window(window)));
    let mixed = windows.chain([u64::from(len)]).fold(0_u64, |mixed, part| {
        (mixed ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    });
    u16::try_from(mixed % u64::from(lists.max(1))).unwrap_or(0)
}

/// The number that a list of [`Prefixes::policy`] has in the kernel.
#[must_use]
pub const fn list_id(list: u16) -> ListId {
    ListId(ListId::BLOCK.0 + 1 + list)
}

fn block_list(list: u16, entries: Entries) -> List {
    let settings = ListSettings { action: ListAction::Block, mode: Mode::ENFORCE, priority: 0 };
    List { id: list_id(list), settings, entries }
}

fn sample<A: Bits>(all: &[Prefix<A>], count: usize, rng: &mut StdRng) -> Vec<Prefix<A>> {
    let mut some = all.to_vec();
    some.partial_shuffle(rng, count);
    // What was chosen is at the end.
    some.drain(..all.len().saturating_sub(count));
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_sets_have_the_lengths_of_the_measured_ones() {
        let prefixes = generated();
        let of_24 = prefixes.v4.iter().filter(|(_, len)| *len == 24).count();
        let of_48 = prefixes.v6.iter().filter(|(_, len)| *len == 48).count();
        assert_eq!((of_24, of_48), (234_811, 44_614));
        assert_eq!((prefixes.v4.len(), prefixes.v6.len()), (1_177_132, 208_006));
        assert!(prefixes.v4.iter().all(|(address, len)| address.network(*len) == *address));
    }

    #[test]
    fn a_sample_has_the_size_asked_for() {
        let all = Prefixes { v4: (0..100).map(|i| (i << 8, 24)).collect(), v6: Vec::new() };
        assert_eq!((all.sample(10).v4.len(), all.sample(1000).v4.len()), (10, 100));
    }
}
