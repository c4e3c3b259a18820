//! Each signal, on hellos that have nothing else wrong with them.

use super::SIGNALS;
use crate::classify::evidence::{Evidence, Hello, View};
use crate::classify::family::Family::{self, Chromium, Firefox, Safari};
use crate::classify::knowledge::Knowledge;
use crate::classify::sample::{APPLE, LINUX, WINDOWS, day, evidence, fired, hello};
use crate::classify::shape::{Ech, Shape, extension};

/// What fires once a family's hello was changed.
fn changed(family: Family, change: impl Fn(&mut Shape)) -> Vec<&'static str> {
    let mut shape = hello(family, 0);
    change(&mut shape);
    fired(&evidence(vec![shape], &[]))
}

fn named(ja4: &str, shape: Shape) -> Evidence {
    let hellos = vec![Hello::new(ja4.to_owned(), shape, None)];
    Evidence { hellos, ..Evidence::default() }
}

#[test]
fn names_are_unique() {
    let names = SIGNALS.iter().map(|signal| signal.name);
    assert_eq!(names.collect::<std::collections::BTreeSet<_>>().len(), SIGNALS.len());
}

#[test]
fn browsers_of_today_fire_nothing() {
    for family in Family::ALL {
        let hellos = (0..4).map(|turn| hello(family, turn)).collect();
        let own = if family == Safari { APPLE } else { LINUX };
        assert_eq!(fired(&evidence(hellos, &[own])), [""; 0], "{}", family.name());
    }
}

#[test]
fn a_known_tool_and_a_known_library_are_known() {
    let nmap = named("t13d781100_ab95583b6d39_d41ae481755e", Shape::default());
    assert!(fired(&nmap).contains(&"known-tool"));
    let requests = named("t13d1812h1_85036bcba153_b26ce05bbdd6", Shape::default());
    assert!(fired(&requests).contains(&"known-library"));
}

#[test]
fn a_librarys_stack_is_told_by_its_structure() {
    let go = Shape { signatures: vec![0x0804, 0x0403, 0x0807, 0x0805, 0x0806], ..Shape::default() };
    assert_eq!(fired(&evidence(vec![go], &[])), ["library-stack"]);
}

#[test]
fn an_unknown_ja4_with_known_ciphers_is_near_a_family() {
    let near = named("t13d1517h2_8daaf6152771_000000000000", hello(Chromium, 0));
    assert_eq!(fired(&near), ["near-family"]);
}

#[test]
fn grease_is_where_the_stack_puts_it() {
    let broken = |change: fn(&mut Shape)| changed(Chromium, change) == ["grease"];
    assert!(broken(|shape| shape.versions.retain(|&version| version != 0x4a4a)));
    assert!(broken(|shape| shape.groups.swap(0, 1)));
    assert!(broken(|shape| shape.key_shares[0] = 0x7a7a));
    assert!(broken(|shape| shape.extensions.retain(|&kind| kind != 0x6a6a)));
    assert!(broken(|shape| shape.extensions[0] = 0x6a6a));
    assert_eq!(changed(Firefox, |shape| shape.groups.push(0x0a0a)), ["grease"]);
    let nobody = |shape: &mut Shape| shape.ciphers.truncate(7);
    assert_eq!(changed(Chromium, nobody), ["grease-of-nobody"]);
}

#[test]
fn chromium_permutes_and_the_others_do_not() {
    let alike = vec![hello(Chromium, 1), hello(Chromium, 1)];
    assert_eq!(fired(&evidence(alike, &[])), ["fixed-order"]);
    let unpermuted = |shape: &mut Shape| {
        shape.extensions.sort_by_key(|kind| {
            Chromium.order().iter().position(|known| known == kind).map_or(0, |at| at + 1)
        });
        shape.extensions.retain(|&kind| kind != 0x6a6a);
        shape.extensions.push(0x6a6a);
    };
    assert_eq!(changed(Chromium, unpermuted), ["fixed-order"]);
    assert_eq!(changed(Firefox, |shape| shape.extensions.swap(2, 9)), ["permuted-order"]);
    assert_eq!(changed(Safari, |shape| shape.extensions.swap(2, 9)), ["safari-permutes"]);
}

#[test]
fn ciphers_have_one_order() {
    assert_eq!(changed(Chromium, |shape| shape.ciphers.swap(5, 6)), ["cipher-order"]);
    assert_eq!(changed(Firefox, |shape| shape.ciphers.swap(3, 6)), ["cipher-order"]);
}

#[test]
fn h3_belongs_to_quic() {
    let h3 = |shape: &mut Shape| shape.protocols.insert(0, b"h3".to_vec());
    assert_eq!(changed(Chromium, h3), ["h3-over-tcp"]);
}

#[test]
fn versions_fit_the_ciphers() {
    let odds = |change: fn(&mut Shape)| changed(Firefox, change) == ["version-at-odds"];
    assert!(odds(|shape| shape.versions = vec![0x0303]));
    assert!(odds(|shape| shape.legacy_version = 0x0301));
    assert!(odds(|shape| shape.session_id_bytes = 0));
    assert!(odds(|shape| shape.compressions = vec![1, 0]));
}

#[test]
fn signature_algorithms_begin_as_the_familys_do() {
    assert_eq!(changed(Firefox, |shape| shape.signatures.reverse()), ["signatures-at-odds"]);
}

#[test]
fn extensions_are_the_familys() {
    let foreign = |shape: &mut Shape| shape.extensions.insert(3, extension::ENCRYPT_THEN_MAC);
    let lacking =
        |shape: &mut Shape| shape.extensions.retain(|&kind| kind != extension::SUPPORTED_GROUPS);
    for family in Family::ALL {
        assert_eq!(changed(family, foreign), ["extensions-at-odds"], "{}", family.name());
        assert_eq!(changed(family, lacking), ["extensions-at-odds"], "{}", family.name());
    }
    let unnamed = |shape: &mut Shape| shape.extensions.retain(|&kind| kind != extension::ALPN);
    assert_eq!(changed(Firefox, unnamed), ["extensions-at-odds"]);
    assert!(changed(Safari, unnamed).is_empty(), "an app with a protocol of its own");
    let certificates = |shape: &mut Shape| shape.extensions.push(extension::POST_HANDSHAKE_AUTH);
    assert!(changed(Firefox, certificates).is_empty(), "an option for client certificates");
    assert_eq!(changed(Chromium, certificates), ["extensions-at-odds"]);
}

#[test]
fn without_instructions_for_aes_chacha_comes_first() {
    let preferring = |first: &[u16]| {
        let mut ciphers = Chromium.ciphers().to_vec();
        ciphers.sort_by_key(|cipher| !first.contains(cipher));
        let fired = changed(Chromium, |shape| shape.ciphers.clone_from(&ciphers));
        fired.contains(&"cipher-order")
    };
    assert!(!preferring(&[0x1301, 0x1302, 0x1303, 0xcca9, 0xcca8]));
    assert!(preferring(&[0x1301, 0x1302, 0x1303, 0x009c]));
}

#[test]
fn key_shares_are_made_as_the_stack_makes_them() {
    let odd = |family, change: fn(&mut Shape)| changed(family, change) == ["key-shares"];
    assert!(odd(Firefox, |shape| shape.reuses_x25519 = Some(false)));
    assert!(odd(Chromium, |shape| shape.reuses_x25519 = Some(true)));
    assert!(odd(Safari, |shape| shape.key_shares.push(0x11ec)));
    assert!(odd(Chromium, |shape| shape.key_shares.push(0x1e)));
}

#[test]
fn made_up_ech_has_the_stacks_length() {
    let with = |aead, payload_bytes| Some(Ech { kdf: 1, aead, payload_bytes });
    assert_eq!(changed(Chromium, |shape| shape.ech = with(1, 177)), ["ech"]);
    assert_eq!(changed(Firefox, |shape| shape.ech = with(2, 176)), ["ech"]);
    let old = |length| {
        move |shape: &mut Shape| {
            shape.ciphers.insert(9, 0xc00a);
            shape.ech = with(3, length);
        }
    };
    assert_eq!(changed(Firefox, old(239)), [""; 0]);
    assert_eq!(changed(Firefox, old(240)), ["ech"]);
    let lengths = [144, 176, 208].map(|length| Shape { ech: with(1, length), ..hello(Firefox, 0) });
    assert_eq!(fired(&evidence(lengths[..2].to_vec(), &[])), [""; 0]);
    assert_eq!(fired(&evidence(lengths.to_vec(), &[])), ["ech"]);
}

#[test]
fn alps_is_for_h2() {
    assert_eq!(changed(Chromium, |shape| shape.settings = vec![b"x".to_vec()]), ["alps"]);
    assert_eq!(changed(Chromium, |shape| drop(shape.protocols.remove(0))), ["alps"]);
    assert_eq!(changed(Chromium, |shape| shape.extensions.insert(4, 17513)), ["alps"]);
}

#[test]
fn short_messages_are_filled_up() {
    assert_eq!(changed(Safari, |shape| shape.message_bytes = 400), ["padding"]);
    assert_eq!(changed(Safari, |shape| shape.message_bytes = 512), [""; 0]);
    assert_eq!(changed(Firefox, |shape| shape.message_bytes = 400), [""; 0]);
}

#[test]
fn a_version_ages_with_the_days() {
    let knowledge = Knowledge::default();
    let mut old = hello(Chromium, 0);
    old.signatures.retain(|signature| signature >> 8 != 9);
    let evidence = evidence(vec![old], &[LINUX]);
    let on = |today| {
        let view = View { evidence: &evidence, knowledge: &knowledge, today: day(today) };
        let fired = SIGNALS.iter().filter_map(|signal| signal.fire(&view));
        fired.map(|fired| fired.name).collect::<Vec<_>>()
    };
    assert_eq!(on("2026-07-30"), [""; 0]);
    assert_eq!(on("2026-11-22"), ["version-stale"]);
    assert_eq!(on("2027-07-30"), ["version-long-gone", "old-on-linux"]);
}

#[test]
fn a_syn_fits_the_system() {
    let safari = |syn| fired(&evidence(vec![hello(Safari, 0)], &[syn]));
    assert_eq!(safari(LINUX), ["syn-at-odds"]);
    assert_eq!(safari(APPLE), [""; 0]);
    for syn in [LINUX, WINDOWS, APPLE] {
        assert_eq!(fired(&evidence(vec![hello(Chromium, 0)], &[syn])), [""; 0]);
    }
}

#[test]
fn many_ciphers_lists_and_broken_hellos_raise_doubt() {
    let mut several = evidence((0..4).map(|turn| hello(Chromium, turn)).collect(), &[]);
    for (index, hello) in several.hellos.iter_mut().enumerate() {
        hello.ja4 = format!("t13d0000h2_00000000000{index}_000000000000");
    }
    assert_eq!(fired(&several), ["many-fingerprints"]);
    let broken = Evidence { causes: vec!["gap".to_owned()], ..Evidence::default() };
    assert_eq!(fired(&broken), ["unfingerprintable"]);
}
