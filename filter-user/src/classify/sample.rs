//! Hellos as the browsers write them, for tests.

use super::evidence::{Evidence, Hello, View};
use super::family::Family;
use super::judgement::{Judgement, judge};
use super::knowledge::{Day, Knowledge};
use super::shape::{Ech, Shape, extension, group};
use filter_common::wire::syn::Syn;
use std::sync::LazyLock;

static SHIPPED: LazyLock<Knowledge> = LazyLock::new(Knowledge::default);

pub(super) const LINUX: Syn = syn(0x3_1842, 64_240);
pub(super) const WINDOWS: Syn = syn(0x41_1312, 64_240);
pub(super) const APPLE: Syn = syn(0xe481_1312, 65_535);

const fn syn(options: u64, window: u16) -> Syn {
    Syn { options, window, mss: 1460, ttl: 60, scale: 8, quirks: 0, reserved: 0 }
}

/// A hello of a browser of today; `turn` makes another one of the same client.
pub(super) fn hello(family: Family, turn: usize) -> Shape {
    let (mut extensions, settings): (Vec<u16>, _) = match family {
        Family::Chromium => (permuted(turn), vec![b"h2".to_vec()]),
        _ => (family.order().to_vec(), Vec::new()),
    };
    extensions.retain(|&kind| kind != extension::PADDING);
    let signatures = match family {
        Family::Chromium => {
            vec![0x3a3a, 0x0904, 0x0905, 0x0906, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805]
        }
        Family::Firefox => vec![0x0403, 0x0503, 0x0603, 0x0804, 0x0203],
        Family::Safari => vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0805, 0x0501, 0x0806],
    };
    let groups = vec![group::X25519_MLKEM768, group::X25519, group::P256, 0x18];
    let shares = if family == Family::Firefox { 3 } else { 2 };
    let mut shape = Shape {
        message_bytes: 1700,
        legacy_version: 0x0303,
        session_id_bytes: 32,
        ciphers: family.ciphers().to_vec(),
        compressions: vec![0],
        key_shares: groups[..shares].to_vec(),
        groups,
        extensions,
        signatures,
        settings,
        versions: vec![0x0304, 0x0303],
        protocols: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        certificate_compressions: vec![2],
        reuses_x25519: Some(family == Family::Firefox),
        ech: (family != Family::Safari).then_some(Ech { kdf: 1, aead: 1, payload_bytes: 176 }),
    };
    if family.greases() {
        add_grease(&mut shape);
    }
    shape
}

/// Puts GREASE where BoringSSL puts it.
pub(super) fn add_grease(shape: &mut Shape) {
    shape.ciphers.insert(0, 0x1a1a);
    shape.groups.insert(0, 0x2a2a);
    if !shape.key_shares.is_empty() {
        shape.key_shares.insert(0, 0x2a2a);
    }
    shape.versions.insert(0, 0x4a4a);
    shape.extensions.insert(0, 0x5a5a);
    shape.extensions.push(0x6a6a);
}

/// Chromium's extensions, turned about.
fn permuted(turn: usize) -> Vec<u16> {
    let mut extensions = Family::Chromium.order().to_vec();
    extensions.retain(|&kind| kind != extension::ALPS_OLD && kind != extension::PRE_SHARED_KEY);
    extensions.extend([extension::ALPS, extension::ENCRYPTED_CLIENT_HELLO]);
    let len = extensions.len();
    extensions.rotate_left((5 + 3 * turn) % len);
    extensions
}

/// A client's evidence, under a JA4 that nobody knows.
pub(super) fn evidence(shapes: Vec<Shape>, syns: &[Syn]) -> Evidence {
    let ja4 = || "t13d0000h2_000000000000_000000000000".to_owned();
    let hello = |shape| Hello::new(ja4(), shape, syns.first().copied());
    let hellos = shapes.into_iter().map(hello).collect();
    Evidence { hellos, causes: Vec::new() }
}

/// What the shipped knowledge says of a client on the day up to which it was kept.
pub(super) fn judged(evidence: &Evidence) -> Judgement {
    judge(&View { evidence, knowledge: &SHIPPED, today: SHIPPED.as_of() })
}

/// The signals that fire for some hellos.
pub(super) fn fired(evidence: &Evidence) -> Vec<&'static str> {
    judged(evidence).signals.iter().map(|fired| fired.name).collect()
}

/// A day, given as text.
pub(super) fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}
