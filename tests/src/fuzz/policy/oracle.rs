//! What an address policy means, read off the rules at the head of `filter_user::policy`
//! and from nothing else: each entry is asked whether it holds the address, in no clever
//! order.

use super::script::ListKind;
use crate::prefixes::Kept;
use filter_common::abi::address::AddressClass;
use filter_user::policy::bits::Bits;
use ipnet::IpNet;
use rand::Rng;
use rand::rngs::StdRng;
use std::cmp::Ordering;
use std::collections::HashMap;

/// What the lists say of an address: action and list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Without those in shadow.
    pub(super) enforced: (u8, u16),
    /// With them.
    pub(super) shadow: (u8, u16),
}

/// The entries of all lists.
pub(super) struct Oracle {
    lists: Vec<ListKind>,
    /// For each prefix length, the networks of that length that some list has.
    v4: Vec<HashMap<u32, Vec<Held>>>,
    v6: Vec<HashMap<u128, Vec<Held>>>,
}

/// An entry at its prefix.
#[derive(Clone, Copy)]
struct Held {
    list: usize,
    /// Zero is never.
    ends_s: u64,
    shadow: bool,
}

/// An entry that holds an address.
struct Claim<'a> {
    kind: &'a ListKind,
    len: u8,
    shadow: bool,
}

impl Oracle {
    pub(super) fn new(lists: &[ListKind]) -> Self {
        Self { lists: lists.to_vec(), v4: vec![HashMap::new(); 33], v6: vec![HashMap::new(); 129] }
    }

    pub(super) fn set_list(&mut self, list: usize, kind: ListKind) {
        self.lists[list] = kind;
    }

    /// Puts an entry in; `None` takes it out.
    pub(super) fn put(&mut self, list: usize, prefix: &IpNet, entry: Option<(u64, bool)>) {
        let held = entry.map(|(ends_s, shadow)| Held { list, ends_s, shadow });
        let len = usize::from(prefix.prefix_len());
        match prefix {
            IpNet::V4(net) => put(&mut self.v4[len], net.network().to_bits(), list, held),
            IpNet::V6(net) => put(&mut self.v6[len], net.network().to_bits(), list, held),
        }
    }

    /// What applies to an address at a time.
    pub(super) fn answer(&self, source: [u64; 2], now_s: u64) -> Answer {
        let is_v4 = source[0] == 0 && source[1] >> 32 == 0xffff;
        let claims = if is_v4 {
            self.claims(&self.v4, u32::of_words(source), now_s)
        } else {
            self.claims(&self.v6, u128::of_words(source), now_s)
        };
        let enforced = strongest(claims.iter().filter(|claim| !claim.shadow));
        Answer { enforced, shadow: strongest(claims.iter()) }
    }

    fn claims<A: Bits>(
        &self,
        family: &[HashMap<A, Vec<Held>>],
        address: A,
        now_s: u64,
    ) -> Vec<Claim<'_>> {
        let mut claims = Vec::new();
        for (len, networks) in (0..).zip(family) {
            if networks.is_empty() {
                continue;
            }
            let held = networks.get(&address.network(len)).map_or(&[][..], Vec::as_slice);
            for held in held.iter().filter(|held| held.ends_s == 0 || held.ends_s > now_s) {
                let kind = &self.lists[held.list];
                claims.push(Claim { kind, len, shadow: kind.shadow || held.shadow });
            }
        }
        claims
    }

    /// Addresses worth a look: the edges of prefixes, and addresses inside and outside.
    pub(super) fn probes(&self, touched: &[IpNet], rng: &mut StdRng, into: &mut Vec<[u64; 2]>) {
        let v4 = touched.iter().filter_map(|prefix| match prefix {
            IpNet::V4(net) => Some((net.network().to_bits(), net.prefix_len())),
            IpNet::V6(_) => None,
        });
        let v6 = touched.iter().filter_map(|prefix| match prefix {
            IpNet::V6(net) => Some((net.network().to_bits(), net.prefix_len())),
            IpNet::V4(_) => None,
        });
        probe(&self.v4, &v4.collect::<Vec<_>>(), rng, into);
        probe(&self.v6, &v6.collect::<Vec<_>>(), rng, into);
    }
}

fn put<A: Bits>(networks: &mut HashMap<A, Vec<Held>>, network: A, list: usize, held: Option<Held>) {
    let all = networks.entry(network).or_default();
    all.retain(|other| other.list != list);
    all.extend(held);
    if all.is_empty() {
        networks.remove(&network);
    }
}

fn strongest<'a>(claims: impl Iterator<Item = &'a Claim<'a>>) -> (u8, u16) {
    let winner = claims.max_by(|a, b| compare(a, b));
    winner.map_or((AddressClass::NONE, 0), |claim| (claim.kind.action, claim.kind.id))
}

/// Rules 1 to 4, in their order. Among allow lists there is nothing for priority to
/// decide: they all say the same.
fn compare(a: &Claim<'_>, b: &Claim<'_>) -> Ordering {
    let allows = |claim: &Claim<'_>| claim.kind.action == AddressClass::ALLOW;
    let blocks = |claim: &Claim<'_>| claim.kind.action == AddressClass::BLOCK;
    let by_allow = allows(a).cmp(&allows(b));
    let by_priority =
        if allows(a) { Ordering::Equal } else { a.kind.priority.cmp(&b.kind.priority) };
    let by_length = a.len.cmp(&b.len);
    let by_block = blocks(a).cmp(&blocks(b));
    let by_age = b.kind.id.cmp(&a.kind.id);
    by_allow.then(by_priority).then(by_length).then(by_block).then(by_age)
}

/// Prefixes whose edges are looked at after a change, beside the changed one.
const OTHERS: usize = 60;
/// Prefixes whose edges are looked at, if all are.
const ALL: usize = 5_000;

fn probe<A: Kept>(
    family: &[HashMap<A, Vec<Held>>],
    touched: &[(A, u8)],
    rng: &mut StdRng,
    into: &mut Vec<[u64; 2]>,
) {
    let mut all: Vec<(A, u8)> = (0..)
        .zip(family)
        .flat_map(|(len, networks)| networks.keys().map(move |network| (*network, len)))
        .collect();
    // The order of a hash map differs from run to run.
    all.sort_unstable();
    let wanted = if touched.is_empty() { ALL } else { OTHERS };
    if all.len() > wanted {
        let first = rng.random_range(0..all.len() - wanted);
        // Half of them neighbours of one another, half from all over.
        let mut some: Vec<_> = all[first..first + wanted / 2].to_vec();
        some.extend((0..wanted / 2).map(|_| all[rng.random_range(0..all.len())]));
        all = some;
    }
    for (address, len) in touched.iter().chain(&all) {
        let last = address.last(*len);
        let edges = [
            Some(*address),
            Some(last),
            last.next(),
            before(*address),
            Some(address.drawn(*len, rng)),
            Some(address.drawn(len.saturating_sub(3), rng)),
        ];
        into.extend(edges.into_iter().flatten().map(A::words));
    }
    for (address, len) in touched {
        into.extend((0..64).map(|_| address.drawn(*len, rng).words()));
    }
    into.extend((0..64).map(|_| A::FIRST.drawn(0, rng).words()));
    into.extend([A::FIRST.words(), A::LAST.words()]);
}

fn before<A: Kept>(address: A) -> Option<A> {
    let [high, low] = address.words();
    let borrowed = if low == 0 { high.checked_sub(1)? } else { high };
    (address > A::FIRST).then(|| A::of_words([borrowed, low.wrapping_sub(1)]))
}
