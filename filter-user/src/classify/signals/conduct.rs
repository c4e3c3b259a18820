//! What hellos of one client say together.

use crate::classify::evidence::View;
use std::collections::BTreeSet;

/// Many ciphers lists of one client. Many may share an address, so this decides nothing by
/// itself.
pub(super) fn many_fingerprints(view: &View<'_>) -> Option<String> {
    let hellos = view.evidence.hellos.iter();
    let lists: BTreeSet<&str> = hellos.filter_map(|hello| hello.ja4.split('_').nth(1)).collect();
    (lists.len() >= MANY).then(|| format!("{} lists of ciphers", lists.len()))
}

/// Hellos that could not be put together: no ordinary client sends such.
pub(super) fn unfingerprintable(view: &View<'_>) -> Option<String> {
    let cause = view.evidence.causes.first()?;
    Some(format!("{} hellos without a fingerprint: {cause}", view.evidence.causes.len()))
}

/// A household has a few browsers and apps behind one address.
const MANY: usize = 4;
