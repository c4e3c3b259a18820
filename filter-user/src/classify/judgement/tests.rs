//! Classes of typical clients, and of the browsers of many years.

use super::*;
use crate::classify::evidence::Evidence;
use crate::classify::family::Family;
use crate::classify::sample::{APPLE, LINUX, WINDOWS, add_grease, evidence, hello, judged};
use crate::classify::shape::{Ech, Shape, extension, group};
use serde::Deserialize;

#[test]
fn one_thing_that_no_browser_does_makes_an_impersonator() {
    let mut odd = hello(Family::Chromium, 0);
    odd.ciphers.swap(5, 6);
    let judgement = judged(&evidence(vec![odd], &[]));
    assert_eq!((judgement.class, judgement.score), (Class::Impersonator, 60));
    assert!(judgement.signals[0].evidence.contains("chromium"));
}

#[test]
fn what_a_relay_may_do_only_raises_doubt() {
    let relayed = evidence(vec![hello(Family::Safari, 0)], &[LINUX]);
    assert_eq!(judged(&relayed).class, Class::Unknown);
}

#[test]
fn a_browser_and_a_library_behind_one_address_are_neither() {
    let library = Shape { signatures: vec![0x0401, 0x0809, 0x0804, 0x0403], ..Shape::default() };
    let both = evidence(vec![hello(Family::Firefox, 0), library.clone()], &[]);
    assert_eq!(judged(&both).class, Class::Unknown);
    assert_eq!(judged(&evidence(vec![library], &[])).class, Class::Library);
}

#[test]
fn who_has_shown_nothing_is_unknown() {
    assert_eq!(judged(&Evidence::default()).class, Class::Unknown);
}

#[test]
fn a_score_ends_at_100() {
    let mut odd = hello(Family::Chromium, 0);
    odd.ciphers.swap(5, 6);
    odd.legacy_version = 0;
    odd.groups.clear();
    assert_eq!(judged(&evidence(vec![odd], &[])).score, 100);
}

/// A real browser of some year.
#[derive(Deserialize)]
struct Captured {
    name: String,
    ja4: String,
    ja4_r: String,
    browser: Browser,
}

#[derive(Deserialize)]
struct Browser {
    name: String,
    /// A text, or a number where it looks like one.
    version: serde_json::Value,
}

impl Captured {
    fn family(&self) -> Family {
        match self.browser.name.as_str() {
            "safari" => Family::Safari,
            "firefox" | "tor" => Family::Firefox,
            _ => Family::Chromium,
        }
    }

    fn major(&self) -> u32 {
        let version = self.browser.version.to_string();
        version.trim_matches('"').split('.').next().unwrap().parse().unwrap()
    }

    /// One of the three lists behind the first part of its JA4, before hashing.
    fn list(&self, at: usize) -> Vec<u16> {
        let list = self.ja4_r.split('_').nth(at).unwrap_or_default();
        list.split(',').map(|value| u16::from_str_radix(value, 16).unwrap()).collect()
    }

    /// Its hello, with what JA4 doesn't tell as the version's stack has it.
    fn shape(&self, turn: usize) -> Shape {
        let (family, major) = (self.family(), self.major());
        let mut extensions = self.list(2);
        extensions.extend([extension::SERVER_NAME, extension::ALPN]);
        let place = |kind: &u16| family.order().iter().position(|known| known == kind);
        extensions.sort_by_key(|kind| place(kind).unwrap_or(usize::MAX));
        if family == Family::Chromium && major >= 110 {
            let len = extensions.len();
            extensions.rotate_left((4 + 3 * turn) % len);
        }
        let hybrid = match (family, major) {
            (Family::Chromium, 124..=130) => Some(group::X25519_KYBER768),
            (Family::Chromium, 131..) | (Family::Firefox, 132..) => Some(group::X25519_MLKEM768),
            _ => None,
        };
        let shares = if family == Family::Firefox { 2 } else { 1 } + usize::from(hybrid.is_some());
        let groups: Vec<u16> =
            hybrid.into_iter().chain([group::X25519, group::P256, 0x18]).collect();
        let has = |kind| extensions.contains(&kind);
        let payload_bytes = if family == Family::Firefox { 239 } else { 208 };
        let alps = has(extension::ALPS) || has(extension::ALPS_OLD);
        let mut shape = Shape {
            message_bytes: if hybrid.is_some() { 1800 } else { 512 },
            legacy_version: 0x0303,
            session_id_bytes: 32,
            ciphers: self.ciphers(),
            compressions: vec![0],
            key_shares: groups[..shares].to_vec(),
            groups,
            signatures: self.list(3),
            versions: vec![0x0304, 0x0303],
            protocols: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            settings: if alps { vec![b"h2".to_vec()] } else { Vec::new() },
            certificate_compressions: vec![2],
            reuses_x25519: hybrid.map(|_| family == Family::Firefox),
            ech: has(extension::ENCRYPTED_CLIENT_HELLO).then_some(Ech {
                kdf: 1,
                aead: 1,
                payload_bytes,
            }),
            extensions,
        };
        if family.greases() {
            add_grease(&mut shape);
        }
        shape
    }

    /// Its ciphers in the order of the wire: the family's own, further ones behind those
    /// that they stand behind in captures.
    fn ciphers(&self) -> Vec<u16> {
        let own = self.list(1);
        let order: &[u16] = match self.family() {
            Family::Safari if own.contains(&0xc024) => {
                &[0x1301, 0x1302, 0x1303, 0xc02c, 0xc02b, 0xc024, 0xc023, 0xc00a, 0xc009, 0xcca9]
            }
            family => family.ciphers(),
        };
        let mut ciphers = own;
        ciphers.sort_by_key(|cipher| {
            order.iter().position(|known| known == cipher).unwrap_or(usize::MAX)
        });
        ciphers
    }
}

fn history() -> Vec<Captured> {
    let text = include_str!("../../../../tests/corpus/browser-history.json");
    serde_json::from_str(text).unwrap()
}

/// Nothing but its age speaks against any of them, and that alone decides nothing.
#[test]
fn no_browser_of_the_last_years_is_taken_for_an_impersonator() {
    let allowed = ["near-family", "version-long-gone", "version-stale"];
    for captured in history() {
        for syn in [&[][..], &[WINDOWS], &[APPLE]] {
            let safari_elsewhere = captured.family() == Family::Safari && syn == [WINDOWS];
            let mut client = evidence((0..3).map(|turn| captured.shape(turn)).collect(), syn);
            client.hellos.iter_mut().for_each(|hello| hello.ja4.clone_from(&captured.ja4));
            let judgement = judged(&client);
            let odd = judgement.signals.iter().find(|fired| !allowed.contains(&fired.name));
            assert!(odd.is_none() || safari_elsewhere, "{}: {odd:?}", captured.name);
            let class = judgement.class;
            assert!(
                matches!(class, Class::Browser | Class::Unknown) || safari_elsewhere,
                "{}: {class:?}",
                captured.name
            );
        }
    }
}

#[test]
fn the_newest_of_them_are_not_long_gone() {
    let newest =
        |captured: &&Captured| captured.family() == Family::Chromium && captured.major() >= 136;
    for captured in history().iter().filter(newest) {
        let client = evidence(vec![captured.shape(0)], &[LINUX]);
        assert_ne!(judged(&client).class, Class::Impersonator, "{}", captured.name);
    }
}
