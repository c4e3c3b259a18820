use super::*;
use crate::abi::limit::{METER_SETS, PROFILE_COUNT};
use proptest::prelude::*;
use std::collections::HashSet;

/// A profile by the lengths of its prefixes, of 1..=32 and 1..=64 bits.
fn profile(v4_len: u32, v6_len: u32, window: u32) -> Profile {
    let (v6_mask, v4_mask) = (u64::MAX << (64 - v6_len), u32::MAX << (32 - v4_len));
    Profile { v6_mask, v4_mask, window, ..Profile::default() }
}

fn any_profile() -> impl Strategy<Value = Profile> {
    (1_u32..=32, 1_u32..=64, 0_u32..3).prop_map(|(v4, v6, window)| profile(v4, v6, window))
}

fn any_address() -> impl Strategy<Value = Address> {
    let mapped = any::<u32>().prop_map(Address::v4);
    let any_v6 = any::<[u64; 2]>().prop_map(|[high, low]| Address { high, low });
    // Prefixes that look like IPv4 addresses are the ones that could be taken for them.
    let small_v6 = (any::<u32>(), any::<u64>())
        .prop_map(|(high, low)| Address { high: high.into(), low: low | 1 << 63 });
    prop_oneof![mapped, any_v6, small_v6]
}

/// The first address of a client's prefix, as the daemon names it.
fn prefix(profile: &Profile, address: &Address) -> ClientKey {
    if address.is_v4() {
        let first = address.tail() & profile.v4_mask;
        ClientKey { high: 0, low: Address::v4(first).low }
    } else {
        ClientKey { high: address.high & profile.v6_mask, low: 0 }
    }
}

#[test]
fn profiles_two_by_two_are_in_one_set_and_others_are_not() {
    let (secrets, profile) = ([7, 8], profile(32, 64, 0));
    let source = Address::v4(0xc000_0201);
    let sets: HashSet<_> = (0..PROFILE_COUNT)
        .map(|number| {
            let set = place(&secrets, &profile, number, &source, 0).set;
            assert_eq!(set, place(&secrets, &profile, number ^ 1, &source, 0).set);
            set
        })
        .collect();
    assert_eq!(sets.len(), 32);
}

#[test]
fn random_clients_spread_over_all_sets() {
    let (secrets, profile) = ([0x1234_5678_9abc, 0xdef0_1234_5678], profile(32, 64, 0));
    let mut load = std::vec![0_u32; 1 << 17];
    for client in 0..1 << 19 {
        let place = place(&secrets, &profile, 2, &Address::v4(0x0a00_0000 + client), 0);
        load[usize::try_from(place.set).unwrap()] += 1;
    }
    // Neighbours, four to a set in the mean: with chance alone a set of 20 is rare.
    assert!(load.iter().max().is_some_and(|most| *most <= 20));
    let empty = load.iter().filter(|load| **load == 0).count();
    assert!((2000..2800).contains(&empty), "{empty} sets are empty, one in e^4 should be");
}

proptest! {
    #[test]
    fn a_word_comes_back_out_of_the_permutation(secrets in any::<Secrets>(), word in any::<u64>()) {
        prop_assert_eq!(restore(&secrets, permute(&secrets, word)), word);
        prop_assert_eq!(permute(&secrets, restore(&secrets, word)), word);
    }

    #[test]
    fn a_meter_says_whom_it_is_about(
        secrets in any::<Secrets>(), profile in any_profile(), number in 0..PROFILE_COUNT,
        source in any_address(),
    ) {
        let place = place(&secrets, &profile, number, &source, 0);
        prop_assert_eq!(super::number(place.tag), number);
        prop_assert_eq!(client(&secrets, place.set, place.tag), prefix(&profile, &source));
        prop_assert!(place.tag != 0 && place.set < METER_SETS);
        prop_assert_eq!(place.set >= RATE_SETS, profile.is_quota());
    }

    /// The addresses differ in few bits, or nothing would ever be shared.
    #[test]
    fn two_keys_share_a_meter_only_if_they_are_one(
        secrets in any::<Secrets>(), profile in any_profile(), numbers in any::<[u32; 2]>(),
        one in any_address(), (bit, same) in (0_u32..128, any::<bool>()),
    ) {
        let other = match bit {
            0..64 if !one.is_v4() => Address { high: one.high ^ 1 << bit, ..one },
            _ if !one.is_v4() => Address { low: one.low ^ 1 << (bit - 64), ..one },
            _ => Address::v4(one.tail() ^ 1 << (bit % 32)),
        };
        let [a, b] = numbers.map(|number| number % PROFILE_COUNT);
        let b = if same { a } else { b };
        let key = |number, address| (number, address_family(address), prefix(&profile, address));
        let [x, y] = [(a, &one), (b, &other)];
        let places = [x, y].map(|(number, address)| place(&secrets, &profile, number, address, 0));
        prop_assert_eq!(places[0] == places[1], key(x.0, x.1) == key(y.0, y.1));
    }

    #[test]
    fn the_owner_of_a_64_is_one_client(
        secrets in any::<Secrets>(), number in 0..PROFILE_COUNT,
        high in 1_u64.., low in any::<[u64; 2]>(),
    ) {
        let of = |low| place(&secrets, &profile(32, 64, 0), number, &Address { high, low }, 0);
        prop_assert_eq!(of(low[0]), of(low[1]));
    }

    #[test]
    fn another_secret_puts_a_client_elsewhere(
        secrets in any::<[Secrets; 2]>(), source in any_address(),
    ) {
        prop_assume!(secrets[0] != secrets[1]);
        let [a, b] = secrets.map(|secrets| place(&secrets, &profile(32, 64, 0), 1, &source, 0));
        // The lowest bit of the second secret is always set.
        let alike = secrets[0][0] == secrets[1][0] && secrets[0][1] | 1 == secrets[1][1] | 1;
        prop_assert!(a != b || alike);
    }
}

fn address_family(address: &Address) -> u8 {
    if address.is_v4() { 4 } else { 6 }
}
