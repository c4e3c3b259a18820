//! The order of ciphers and extensions.

use crate::classify::evidence::View;
use crate::classify::family::Family;
use crate::classify::shape::{Shape, extension, group, plain};

/// One order of extensions in all hellos of a family that permutes them.
///
/// Sixteen extensions come in the same order twice once in some 10^13 times. A single hello
/// counts only if its order is the one that the stack had before it permuted them.
pub(super) fn fixed(view: &View<'_>) -> Option<String> {
    Family::ALL.into_iter().filter(|&family| view.knowledge.permutes(family)).find_map(|family| {
        let mut shapes = view.of(family);
        shapes.retain(|shape| is_of_permuting_version(shape));
        let first = shapes.first()?.order();
        let alike = shapes.iter().all(|shape| shape.order() == first);
        let unpermuted = is_ordered(family, shapes.first()?);
        let times = shapes.len();
        (alike && first.len() >= ENOUGH_TO_PERMUTE && (times > 1 || unpermuted)).then(|| {
            format!("one order of extensions in {times} hellos, which {} permutes", family.name())
        })
    })
}

/// Several orders of extensions under NSS, which over TCP has one.
pub(super) fn permuted(view: &View<'_>) -> Option<String> {
    out_of_order(view, Family::Firefox)
}

/// The same of Safari. Apple may begin to permute any day, so this doesn't decide.
pub(super) fn safari_permutes(view: &View<'_>) -> Option<String> {
    out_of_order(view, Family::Safari)
}

fn out_of_order(view: &View<'_>, family: Family) -> Option<String> {
    if view.knowledge.permutes(family) {
        return None;
    }
    let odd = view.of(family).into_iter().filter(|shape| !is_ordered(family, shape)).count();
    let name = family.name();
    (odd > 0).then(|| format!("extensions of {odd} hellos in an order that {name} never writes"))
}

/// The ciphers of a family, the ones that all of its versions have, in another order.
pub(super) fn ciphers(view: &View<'_>) -> Option<String> {
    view.worn().find_map(|(family, hello)| {
        // Safari moved its ciphers about between versions.
        if family == Family::Safari {
            return None;
        }
        let behind_tls13 = |ciphers: &[u16]| -> Vec<u16> {
            ciphers.iter().copied().filter(|cipher| cipher >> 8 != 0x13).collect()
        };
        let own = behind_tls13(&hello.shape().plain_ciphers());
        let mut expected = behind_tls13(family.ciphers());
        if is_subsequence(&own, &expected) {
            return None;
        }
        // BoringSSL puts ChaCha20 first where the processor has no instructions for AES.
        expected.sort_by_key(|cipher| !CHACHA.contains(cipher));
        let is_boring = family == Family::Chromium && is_subsequence(&own, &expected);
        (!is_boring).then(|| format!("ciphers in an order that {} never writes", family.name()))
    })
}

/// Chromium permutes since version 110. A version from then on shows by what came later; only
/// the made-up ECH of 119 can be switched off by an operator of many browsers.
fn is_of_permuting_version(shape: &Shape) -> bool {
    shape.has(extension::ENCRYPTED_CLIENT_HELLO)
        || shape.has(extension::ALPS)
        || shape.groups.contains(&group::X25519_KYBER768)
        || shape.groups.contains(&group::X25519_MLKEM768)
}

/// Whether those of its extensions whose order is known stand in it.
fn is_ordered(family: Family, shape: &Shape) -> bool {
    is_subsequence(&plain(&shape.extensions), family.order())
}

/// Whether the values that both have stand in the same order in both.
fn is_subsequence(own: &[u16], expected: &[u16]) -> bool {
    let places = own.iter().filter_map(|value| expected.iter().position(|known| known == value));
    places.is_sorted()
}

/// ECDHE with ChaCha20-Poly1305 in TLS 1.2.
const CHACHA: [u16; 2] = [0xcca9, 0xcca8];

/// Below, an order may be repeated by chance.
const ENOUGH_TO_PERMUTE: usize = 8;
