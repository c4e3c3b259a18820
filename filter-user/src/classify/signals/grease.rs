//! GREASE, as BoringSSL places it.
//!
//! *Source*: RFC 8701; BoringSSL's `ssl_get_grease_value`, `ssl_write_client_cipher_list`,
//! `ssl_add_clienthello_tlsext` and `ext_key_share_add_clienthello`.

use crate::classify::evidence::View;
use crate::classify::family::Family;
use crate::classify::shape::{Shape, grease};
use filter_common::wire::client_hello::is_grease;

/// GREASE that is missing or misplaced in the clothes of a browser that places it, or there
/// in those of one that doesn't.
pub(super) fn broken(view: &View<'_>) -> Option<String> {
    view.worn().find_map(|(family, hello)| {
        let fault = fault(family, hello.shape())?;
        Some(format!("{fault}, as {} never does", family.name()))
    })
}

fn fault(family: Family, shape: &Shape) -> Option<&'static str> {
    let first = |values: &[u16]| values.first().is_some_and(|&value| is_grease(value));
    let any = |values: &[u16]| values.iter().any(|&value| is_grease(value));
    let lists =
        [&shape.ciphers, &shape.extensions, &shape.groups, &shape.versions, &shape.key_shares];
    if !family.greases() {
        return lists.iter().any(|values| any(values)).then_some("GREASE is in the hello");
    }
    // Without TLS 1.3 there are neither versions nor key shares; ciphers, groups and
    // extensions there are always.
    let missing = |values: &Vec<u16>| !values.is_empty() && !any(values);
    let odd = |values: &Vec<u16>| !values.is_empty() && !first(values);
    let extensions = grease(&shape.extensions);
    let checks = [
        (lists.iter().any(|values| missing(values)), "GREASE is missing in a list"),
        (lists.iter().any(|values| odd(values)), "GREASE stands behind other values"),
        (extensions.len() != 2, "there aren't two GREASE extensions"),
        (extensions.first() == extensions.get(1), "the two GREASE extensions are the same"),
        (
            !shape.key_shares.is_empty() && grease(&shape.groups) != grease(&shape.key_shares),
            "GREASE differs between groups and key shares",
        ),
    ];
    checks.iter().find(|(holds, _)| *holds).map(|(_, fault)| *fault)
}

/// GREASE in a hello that looks like no browser's: a library that borrows some of their looks.
pub(super) fn of_nobody(view: &View<'_>) -> Option<String> {
    let nobody = view
        .evidence
        .hellos
        .iter()
        .find(|hello| hello.family().is_none() && !grease(&hello.shape().ciphers).is_empty())?;
    Some(format!("{} has GREASE, and ciphers of no browser", nobody.ja4))
}
