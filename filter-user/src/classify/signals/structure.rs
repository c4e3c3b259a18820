//! What a browser's stack never writes.

use crate::classify::evidence::View;
use crate::classify::family::Family;
use crate::classify::shape::{Shape, extension, plain};
use std::collections::{BTreeMap, BTreeSet};

/// HTTP/3 offered over TCP, where there is none.
///
/// *Source*: RFC 9114 section 3.1: its ALPN token is for QUIC.
pub(super) fn h3_over_tcp(view: &View<'_>) -> Option<String> {
    let over_tcp = view.evidence.hellos.iter().filter(|hello| hello.ja4.starts_with('t'));
    let h3 = over_tcp.filter(|hello| hello.shape().offers(b"h3")).count();
    (h3 > 0).then(|| format!("h3 is offered over TCP in {h3} hellos"))
}

/// Versions that don't fit the ciphers.
pub(super) fn version_at_odds(view: &View<'_>) -> Option<String> {
    find(view, |_, shape| {
        let has_tls13_ciphers = shape.ciphers.iter().any(|cipher| cipher >> 8 == 0x13);
        let offers_tls13 = shape.versions.contains(&0x0304);
        let checks = [
            (has_tls13_ciphers != offers_tls13, "ciphers of TLS 1.3 and its version part"),
            (shape.legacy_version != 0x0303, "the version of the message isn't TLS 1.2"),
            (offers_tls13 && shape.session_id_bytes != 32, "the session id hasn't 32 bytes"),
            (shape.compressions != [0], "compression is offered"),
        ];
        checks.iter().find(|(holds, _)| *holds).map(|(_, fault)| *fault)
    })
}

/// Signature algorithms that don't begin as the family's do.
pub(super) fn signatures_at_odds(view: &View<'_>) -> Option<String> {
    find(view, |family, shape| {
        let mut signatures = plain(&shape.signatures);
        signatures.retain(|signature| !ML_DSA.contains(signature));
        let fits = signatures.starts_with(family.first_signatures());
        (!fits).then_some("signature algorithms in another order")
    })
}

/// Extensions that the family never sends, or none of what it always sends.
pub(super) fn extensions_at_odds(view: &View<'_>) -> Option<String> {
    find(view, |family, shape| {
        let foreign = [
            extension::ENCRYPT_THEN_MAC,
            extension::SIGNATURE_ALGORITHMS_CERT,
            extension::STATUS_REQUEST_V2,
        ];
        // Where companies have clients show certificates, Firefox may offer it.
        let auth = family != Family::Firefox && shape.has(extension::POST_HANDSHAKE_AUTH);
        let of_nss = [extension::RECORD_SIZE_LIMIT, extension::DELEGATED_CREDENTIALS];
        let has_any = |kinds: &[u16]| kinds.iter().any(|&kind| shape.has(kind));
        let is_old = shape.versions.iter().any(|&version| version < 0x0304);
        let lacks = ALWAYS.iter().any(|&kind| !shape.has(kind))
            || is_old && BEFORE_TLS13.iter().any(|&kind| !shape.has(kind))
            // What else speaks through Apple's stack may have a protocol of its own.
            || family != Family::Safari && !shape.has(extension::ALPN);
        let alps = has_any(&[extension::ALPS, extension::ALPS_OLD]);
        let checks = [
            (has_any(&foreign) || auth, "extensions of other stacks"),
            (family != Family::Firefox && has_any(&of_nss), "extensions of NSS"),
            (family != Family::Chromium && alps, "Chromium's ALPS"),
            (lacks, "an extension is missing that is always there"),
        ];
        checks.iter().find(|(holds, _)| *holds).map(|(_, fault)| *fault)
    })
}

/// Key shares that the family's stack doesn't make.
///
/// *Source*: NSS `tls13_CreateKeyShare`, which makes a hybrid group's curve key once and uses
/// it for the curve too; BoringSSL `ssl_setup_key_shares`, which makes each anew.
pub(super) fn key_shares(view: &View<'_>) -> Option<String> {
    find(view, |family, shape| {
        let shares = plain(&shape.key_shares);
        if shares.is_empty() {
            return None;
        }
        let unsupported = shares.iter().any(|share| !shape.groups.contains(share));
        let twice = (1..shape.key_shares.len())
            .any(|at| shape.key_shares[..at].contains(&shape.key_shares[at]));
        let is_firefox = family == Family::Firefox;
        let fresh = is_firefox && shape.reuses_x25519 == Some(false);
        let reused = family == Family::Chromium && shape.reuses_x25519 == Some(true);
        let checks = [
            (unsupported, "a key share of a group that isn't offered"),
            (twice, "two key shares of one group"),
            (fresh, "X25519 has another key alone than in the hybrid group"),
            (reused, "X25519 has the same key alone as in the hybrid group"),
        ];
        checks.iter().find(|(holds, _)| *holds).map(|(_, fault)| *fault)
    })
}

/// An `encrypted_client_hello` that the family's stack doesn't make up, nor write in earnest.
///
/// *Source*: BoringSSL `setup_ech_grease` and NSS `tls13_MaybeGreaseEch`: both fill up the
/// inner hello to a multiple of 32 bytes, in front of a tag of 16, but NSS ended one byte
/// short of it until it lost the last cipher of [`OLD_NSS`]. It never chooses AES-256.
pub(super) fn ech(view: &View<'_>) -> Option<String> {
    odd_ech(view).or_else(|| {
        let many = firefox_ech_lengths(view);
        (many > 2).then(|| format!("made-up ECH of {many} lengths, of which firefox has one"))
    })
}

/// How many lengths one Firefox, told from others by its ciphers and extensions, makes up. NSS
/// fills the name up to the same length in every hello; the real thing, for hosts that have
/// keys for it, may have another.
fn firefox_ech_lengths(view: &View<'_>) -> usize {
    let shapes = view.of(Family::Firefox).into_iter();
    let fresh = shapes.filter(|shape| !shape.has(extension::PRE_SHARED_KEY));
    let mut lengths: BTreeMap<_, BTreeSet<usize>> = BTreeMap::new();
    for shape in fresh {
        let own = lengths.entry((shape.plain_ciphers(), shape.order())).or_default();
        own.extend(shape.ech.map(|ech| ech.payload_bytes));
    }
    lengths.values().map(BTreeSet::len).max().unwrap_or_default()
}

fn odd_ech(view: &View<'_>) -> Option<String> {
    find(view, |family, shape| {
        let ech = shape.ech?;
        let behind = ech.payload_bytes % 32;
        let is_old_nss = shape.ciphers.contains(&OLD_NSS);
        let is_firefox = family == Family::Firefox;
        let checks = [
            (ech.kdf != 1, "ECH with another key derivation than HKDF-SHA256"),
            (is_firefox && ech.aead == 2, "made-up ECH with AES-256"),
            (is_firefox && is_old_nss && behind != 15, "made-up ECH of BoringSSL's length"),
            (!is_firefox && behind != 16, "made-up ECH that isn't filled up"),
        ];
        checks.iter().find(|(holds, _)| *holds).map(|(_, fault)| *fault)
    })
}

/// ALPS that Chromium doesn't write: for `h2` alone, under one number.
pub(super) fn alps(view: &View<'_>) -> Option<String> {
    find(view, |_, shape| {
        let both = shape.has(extension::ALPS) && shape.has(extension::ALPS_OLD);
        let other = shape.settings.iter().any(|name| name != b"h2");
        let unasked = !shape.settings.is_empty() && !shape.protocols.contains(&b"h2".to_vec());
        let checks = [
            (both, "ALPS under both of its numbers"),
            (other, "ALPS for another protocol than h2"),
            (unasked, "ALPS for h2, which ALPN doesn't offer"),
        ];
        checks.iter().find(|(holds, _)| *holds).map(|(_, fault)| *fault)
    })
}

/// A length that BoringSSL fills up.
///
/// *Source*: `ssl_add_clienthello_tlsext`: a message of 256 to 511 bytes hangs some servers.
pub(super) fn padding(view: &View<'_>) -> Option<String> {
    find(view, |family, shape| {
        let is_short = (256..512).contains(&shape.message_bytes);
        (is_short && family.greases()).then_some("a message of 256 to 511 bytes")
    })
}

fn find(view: &View<'_>, fault: impl Fn(Family, &Shape) -> Option<&'static str>) -> Option<String> {
    view.worn().find_map(|(family, hello)| {
        let fault = fault(family, hello.shape())?;
        Some(format!("{fault}, in the clothes of {}", family.name()))
    })
}

/// In every hello of a browser over TCP since TLS 1.3.
const ALWAYS: [u16; 3] =
    [extension::STATUS_REQUEST, extension::SUPPORTED_GROUPS, extension::SIGNATURE_ALGORITHMS];

/// In every one that offers TLS 1.2 as well.
const BEFORE_TLS13: [u16; 3] =
    [extension::EC_POINT_FORMATS, extension::EXTENDED_MASTER_SECRET, extension::RENEGOTIATION_INFO];

const ML_DSA: [u16; 3] = [0x0904, 0x0905, 0x0906];

/// `TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA`, which Firefox gave up with version 154, one
/// version before the length of its made-up ECH changed.
const OLD_NSS: u16 = 0xc00a;
