//! Prefixes, by how many different clients of theirs were blocked.

use super::policy::Policy;
use super::{DAY_MS, network};
use crate::classify::behaviour::table::Table;
use filter_common::abi::client::ClientKey;
use ipnet::IpNet;

/// Blocked and good clients of prefixes, of the last day or two.
///
/// When there is no more room, those with the fewest offenders go.
#[derive(Clone, Debug)]
pub struct Neighbours {
    /// Those that only count apart: they don't make a prefix that acts.
    prefixes: Table<(IpNet, bool), Parts>,
}

/// A prefix with enough offenders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Which.
    pub prefix: IpNet,
    /// How many of its parts have some.
    pub offenders: u32,
    /// How many have good clients.
    pub good: u32,
}

/// Exactly which of 256 parts of a prefix have offenders, and which good clients.
#[derive(Clone, Debug, Default)]
struct Parts {
    offenders: [u64; 4],
    offenders_before: [u64; 4],
    good: [u64; 4],
    good_before: [u64; 4],
    day: u64,
}

impl Default for Neighbours {
    fn default() -> Self {
        Self { prefixes: Table::new(PREFIXES) }
    }
}

impl Neighbours {
    /// Takes in a client that was blocked: the widest prefix that has enough of them now.
    pub fn offend(
        &mut self,
        client: ClientKey,
        shadow: bool,
        now_ms: u64,
        policy: &Policy,
    ) -> Option<Reached> {
        let mut widest = None;
        for (prefix, part) in network::around(client) {
            let parts = self.prefixes.entry(&(prefix, shadow), Parts::offending);
            parts.age(now_ms);
            set(&mut parts.offenders, part);
            let least = match prefix {
                IpNet::V4(_) => policy.offenders_v4,
                IpNet::V6(_) => policy.offenders_v6,
            };
            let (offenders, good) = (parts.offending(), ones(&parts.good, &parts.good_before));
            if offenders >= least.max(2) {
                widest = Some(Reached { prefix, offenders, good });
            }
        }
        widest
    }

    /// Forgets the prefixes around a network, and those in it.
    pub fn forgive(&mut self, net: &IpNet) {
        self.prefixes.retain(|(prefix, _), _| !network::overlap(prefix, net));
    }

    /// Forgets the offenders of a prefix that was decided about: it takes as many anew.
    pub fn spend(&mut self, prefix: IpNet, shadow: bool) {
        if let Some(parts) = self.prefixes.get_mut(&(prefix, shadow)) {
            (parts.offenders, parts.offenders_before) = Default::default();
        }
    }

    /// Takes in a client that belongs here; kept only where somebody offends.
    pub fn welcome(&mut self, client: ClientKey, now_ms: u64) {
        for (prefix, part) in network::around(client) {
            for shadow in [false, true] {
                if let Some(parts) = self.prefixes.get_mut(&(prefix, shadow)) {
                    parts.age(now_ms);
                    set(&mut parts.good, part);
                }
            }
        }
    }
}

impl Parts {
    fn age(&mut self, now_ms: u64) {
        let day = now_ms / DAY_MS;
        match day.saturating_sub(self.day) {
            0 => return,
            1 => {
                self.offenders_before = std::mem::take(&mut self.offenders);
                self.good_before = std::mem::take(&mut self.good);
            }
            _ => *self = Self::default(),
        }
        self.day = day;
    }

    fn offending(&self) -> u32 {
        ones(&self.offenders, &self.offenders_before)
    }
}

fn set(bits: &mut [u64; 4], part: u8) {
    bits[usize::from(part / 64)] |= 1 << (part % 64);
}

fn ones(now: &[u64; 4], before: &[u64; 4]) -> u32 {
    now.iter().zip(before).map(|(now, before)| (now | before).count_ones()).sum()
}

const PREFIXES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn offend(neighbours: &mut Neighbours, text: &str, now_ms: u64) -> Option<String> {
        let reached = neighbours.offend(network::client(text), false, now_ms, &Policy::default());
        reached.map(|Reached { prefix, offenders, good }| format!("{prefix} {offenders} {good}"))
    }

    #[test]
    fn a_prefix_that_was_decided_about_takes_as_many_anew_and_shadows_count_apart() {
        let (mut neighbours, policy) = (Neighbours::default(), Policy::default());
        let mut offend = |i: u8, shadow| {
            let client = network::client(&format!("192.0.2.{i}"));
            let reached = neighbours.offend(client, shadow, 0, &policy);
            if let Some(reached) = reached {
                neighbours.spend(reached.prefix, shadow);
            }
            reached.is_some()
        };
        assert!((0..7).all(|i| !offend(i, true)) && !offend(7, false) && offend(8, true));
        assert!((9..16).all(|i| !offend(i, true)) && offend(16, true));
    }

    #[test]
    fn different_offenders_make_a_prefix_and_one_again_and_again_does_not() {
        let mut neighbours = Neighbours::default();
        assert!((0..20).all(|_| offend(&mut neighbours, "192.0.2.1", 0).is_none()));
        assert!((2..8).all(|i| offend(&mut neighbours, &format!("192.0.2.{i}"), 0).is_none()));
        neighbours.welcome(network::client("192.0.2.200"), 0);
        assert_eq!(offend(&mut neighbours, "192.0.2.9", 0).unwrap(), "192.0.2.0/24 8 1");
        assert!(offend(&mut neighbours, "192.0.2.9", 2 * DAY_MS).is_none());
    }

    #[test]
    fn an_ipv6_prefix_widens_by_its_parts() {
        let mut neighbours = Neighbours::default();
        let mut reached = |text: &str| offend(&mut neighbours, text, 0);
        assert!((0..3).all(|i| reached(&format!("2001:db8:0:{i}::1")).is_none()));
        assert_eq!(reached("2001:db8:0:3::1").unwrap(), "2001:db8::/56 4 0");
        assert!((1..3).all(|i| reached(&format!("2001:db8:0:{i}00::1")).is_none()));
        assert_eq!(reached("2001:db8:0:300::1").unwrap(), "2001:db8::/48 4 0");
    }
}
