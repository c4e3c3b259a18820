//! The compiled image against a naive reading of the lists.

use super::bits::Bits;
use super::image::{Full, HostMemory, Image};
use super::*;
use filter_common::policy::look_up;
use filter_common::wire::address::Address;
use proptest::prelude::*;

/// The kernel's clock was zero here.
const EPOCH_S: u64 = 1_000;
/// Now.
const NOW_S: u64 = 2_000;

fn address(address: IpAddr) -> Address {
    match address {
        IpAddr::V4(v4) => Address::v4(v4.to_bits()),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            Address {
                high: u64::try_from(bits >> 64).unwrap(),
                low: u64::try_from(bits & u128::from(u64::MAX)).unwrap(),
            }
        }
    }
}

fn built(policy: &AddressPolicy) -> Image<HostMemory> {
    Image::build(HostMemory::new(1 << 20), &mut policy.compiler(NOW_S), EPOCH_S).unwrap()
}

fn answer(image: &Image<HostMemory>, at: IpAddr, unix_s: u64) -> AddressClass {
    look_up(&image.memory().lines(), &address(at), || (unix_s - EPOCH_S) * 1_000_000_000)
}

/// What the rules say, read from the lists one by one.
fn naive(policy: &AddressPolicy, at: IpAddr, unix_s: u64) -> [(u8, u16); 2] {
    let holders = policy.holders(at, unix_s);
    let say = |holder: Option<&Holder<'_>>| {
        holder.map_or((0, 0), |holder| (holder.list.settings.action.number(), holder.list.id.0))
    };
    [say(holders.iter().find(|holder| !holder.is_shadow())), say(holders.first())]
}

fn compiled(image: &Image<HostMemory>, at: IpAddr, unix_s: u64) -> [(u8, u16); 2] {
    let class = answer(image, at, unix_s);
    let enforced = (class.action(), class.list());
    let shadow = (class.shadow_action(), class.shadow_list());
    [enforced, if class.shadow_action() == 0 { enforced } else { shadow }]
}

fn list(id: u16, action: ListAction, shadow: bool, priority: i32) -> List {
    let mode = if shadow { Mode::SHADOW } else { Mode::ENFORCE };
    let settings = ListSettings { action, mode, priority };
    List { id: ListId(id), settings, entries: Entries::default() }
}

fn policy(entries: &[(usize, IpNet, u64)]) -> AddressPolicy {
    let mut policy = AddressPolicy::default();
    policy.put("limit", list(3, ListAction::Limit("x".into()), false, 0));
    policy.put("shadow", list(4, ListAction::Block, true, 0));
    policy.put("strong", list(5, ListAction::Block, false, 7));
    policy.put("soft", list(6, ListAction::Limit("y".into()), false, 7));
    policy.put("try", list(7, ListAction::Allow, true, 0));
    for (number, prefix, expires) in entries {
        let name = NAMES[number % NAMES.len()];
        let note = Note { expires_unix_s: *expires, ..Note::default() };
        policy.list_mut(name).unwrap().entries.insert(prefix, note);
    }
    policy
}

const NAMES: [&str; 7] = ["allow", "block", "limit", "shadow", "strong", "soft", "try"];

/// Prefixes that often hold one another.
fn prefixes() -> impl Strategy<Value = IpNet> {
    let v4 = (any::<u32>(), 0_u8..=32)
        .prop_map(|(bits, len)| (0x0a00_0000 | (bits & 0x8107_01f3)).network(len).prefix(len));
    let v6 = (any::<u128>(), 0_u8..=128).prop_map(|(bits, len)| {
        let mask = 0xe001_0000_8000_0003_8000_0000_c000_0101;
        (0x2001_0db8 << 96 | (bits & mask)).network(len).prefix(len)
    });
    prop_oneof![v4, v6]
}

fn entries() -> impl Strategy<Value = Vec<(usize, IpNet, u64)>> {
    let expires = prop_oneof![Just(0), Just(1_900), 2_001_u64..2_006];
    prop::collection::vec((0_usize..7, prefixes(), expires), 0..60)
}

/// Addresses at which something may change, and their neighbours.
fn edges(entries: &[(usize, IpNet, u64)]) -> Vec<IpAddr> {
    let around = |net: &IpNet| match net {
        IpNet::V4(net) => {
            let (a, b) = (net.network().to_bits(), net.broadcast().to_bits());
            let all = [a, a.wrapping_sub(1), b, b.wrapping_add(1), a.midpoint(b)];
            all.map(|bits| IpAddr::V4(bits.into()))
        }
        IpNet::V6(net) => {
            let (a, b) = (net.network().to_bits(), net.broadcast().to_bits());
            let all = [a, a.wrapping_sub(1), b, b.wrapping_add(1), a.midpoint(b)];
            all.map(|bits| IpAddr::V6(bits.into()))
        }
    };
    let mapped = |address: &IpAddr| address.to_canonical() == *address;
    let all = entries.iter().flat_map(|(_, prefix, _)| around(prefix));
    all.filter(mapped)
        .chain(["0.0.0.0", "255.255.255.255", "::", "ff::ff"].map(|t| t.parse().unwrap()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 50 } else { 400 }))]

    #[test]
    fn the_image_says_what_the_lists_say(entries in entries()) {
        let policy = policy(&entries);
        let image = built(&policy);
        for at in edges(&entries) {
            for unix_s in [NOW_S, 2_001, 2_003, 2_005, 9_000] {
                prop_assert_eq!(
                    compiled(&image, at, unix_s), naive(&policy, at, unix_s), "{} at {}", at, unix_s
                );
            }
        }
    }

    #[test]
    fn changes_one_by_one_lead_where_a_whole_build_does(
        first in entries(), changes in prop::collection::vec((any::<bool>(), 0_usize..7, prefixes()), 1..20),
    ) {
        let mut policy = policy(&first);
        let mut image = built(&policy);
        for (add, number, prefix) in changes {
            let entries = &mut policy.list_mut(NAMES[number]).unwrap().entries;
            if add { entries.insert(&prefix, Note::default()); } else { entries.remove(&prefix); }
            change(&mut image, &policy, &prefix);
            let mut probes = first.clone();
            probes.push((0, prefix, 0));
            for at in edges(&probes) {
                prop_assert_eq!(compiled(&image, at, NOW_S), naive(&policy, at, NOW_S), "{}", at);
            }
        }
    }
}

fn change(image: &mut Image<HostMemory>, policy: &AddressPolicy, prefix: &IpNet) {
    let mut compiler = policy.compiler(NOW_S);
    let switches = match prefix {
        IpNet::V4(net) => {
            let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
            image.prepare(&mut compiler, first, last)
        }
        IpNet::V6(net) => {
            let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
            image.prepare(&mut compiler, first, last)
        }
    };
    match switches {
        Ok(switches) => image.commit(&switches),
        // More slots than one change builds again.
        Err(Full(_)) => *image = built(policy),
    }
}

/// Numbers that look random.
fn mixed(seed: u32) -> u32 {
    seed.wrapping_mul(0x9e37_79b9).rotate_left(13).wrapping_mul(0x85eb_ca6b)
}

#[test]
fn a_large_policy_with_every_kind_of_node_says_what_its_lists_say() {
    let dense = (0..30_000_u32).map(|i| (0x0a00_0000 + i * 2).prefix(32));
    let spread = (0..20_000_u32).map(|i| mixed(i).network(8 + (mixed(i) % 25) as u8));
    let spread = spread
        .zip(0..)
        .map(|(bits, i)| bits.network(8 + (mixed(i) % 25) as u8).prefix(8 + (mixed(i) % 25) as u8));
    let deep = (0..20_000_u32).map(|i| {
        let bits =
            0x2a00_0000_u128 << 96 | u128::from(mixed(i)) << 80 | u128::from(mixed(i + 1)) << 40;
        let len = 20 + (mixed(i) % 100) as u8;
        bits.network(len).prefix(len)
    });
    let all: Vec<_> =
        dense.chain(spread).chain(deep).zip(0..).map(|(p, i)| ((i / 3) % 3 + 1, p, 0)).collect();
    let mut policy = policy(&all);
    let mut image = built(&policy);
    for at in edges(&all) {
        assert_eq!(compiled(&image, at, NOW_S), naive(&policy, at, NOW_S), "{at}");
    }
    for (number, prefix, _) in all.iter().step_by(97).filter(|(_, p, _)| p.prefix_len() > 16) {
        policy.list_mut(NAMES[*number]).unwrap().entries.remove(prefix);
        change(&mut image, &policy, prefix);
    }
    for at in edges(&all) {
        assert_eq!(compiled(&image, at, NOW_S), naive(&policy, at, NOW_S), "{at}");
    }
}

#[test]
fn an_image_that_grows_beyond_its_bound_is_refused() {
    let entries: Vec<_> =
        (0..10_000_u32).map(|i| (1, (i << 8).prefix(24 + (i % 8) as u8), 0)).collect();
    let policy = policy(&entries);
    let memory = HostMemory::new(9000);
    assert!(Image::build(memory, &mut policy.compiler(NOW_S), EPOCH_S).is_err());
}
