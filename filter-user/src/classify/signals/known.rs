//! What is known of a fingerprint, or of the stack that wrote it.

use crate::classify::evidence::View;
use crate::classify::knowledge::Kind;

/// A fingerprint that only tools are known to send.
pub(super) fn tool(view: &View<'_>) -> Option<String> {
    known(view, Kind::Tool)
}

/// A fingerprint that libraries are known to send.
pub(super) fn library(view: &View<'_>) -> Option<String> {
    known(view, Kind::Library)
}

fn known(view: &View<'_>, kind: Kind) -> Option<String> {
    view.evidence.hellos.iter().find_map(|hello| {
        let known = view.knowledge.look_up(&hello.ja4).filter(|known| known.kind == kind)?;
        Some(format!("{} is sent by {}", hello.ja4, known.programs))
    })
}

/// A hello that a stack wrote which no browser uses.
pub(super) fn stack(view: &View<'_>) -> Option<String> {
    let (stack, mark) = view.stacks().find(|(stack, _)| stack.is_library())?;
    Some(format!("written by {}: {mark}", stack.name()))
}

/// A fingerprint with a family's ciphers that nobody has seen with the family. New versions
/// are such, so this decides nothing by itself.
pub(super) fn near_family(view: &View<'_>) -> Option<String> {
    view.worn().find_map(|(_, hello)| {
        let near = view.knowledge.family_of(&hello.ja4)?;
        let unknown = view.knowledge.look_up(&hello.ja4).is_none();
        unknown.then(|| format!("{} has the ciphers of {} alone", hello.ja4, near.name()))
    })
}
