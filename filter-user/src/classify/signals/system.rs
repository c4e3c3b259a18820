//! The system that asks for connections, against the one that the hello claims.

use super::version;
use crate::classify::evidence::View;
use crate::classify::family::Family;
use crate::classify::stack::Stack;
use crate::classify::syn::{System, is_plain_linux};

/// An Apple or Windows stack whose connection another system opens. Relays and proxies open
/// them in their clients' place, so this doesn't decide.
pub(super) fn syn_at_odds(view: &View<'_>) -> Option<String> {
    view.evidence.hellos.iter().find_map(|hello| {
        let claimed = match hello.stack()? {
            Stack::Browser(Family::Safari) => System::Apple,
            Stack::Schannel => System::Windows,
            _ => return None,
        };
        let other = System::of(&hello.syn?).filter(|&found| found != claimed)?;
        Some(format!("the hello is that of {}, its SYN that of {}", claimed.name(), other.name()))
    })
}

/// A version long gone on a system that would have renewed it: old ones stay on Windows,
/// macOS and phones that get no newer ones, and Linux' distributions renew them; those that
/// applications bring along are old at times.
pub(super) fn old_on_linux(view: &View<'_>) -> Option<String> {
    let gone = version::long_gone_where(view, |family, hello| {
        family != Family::Safari && hello.syn.as_ref().is_some_and(is_plain_linux)
    })?;
    Some(format!("{gone}, on Linux"))
}
