//! What a client says it is.

use super::Look;
use crate::classify::behaviour::count::Count;

/// A `User-Agent` of a browser over another program's hello. A company's proxy that opens
/// TLS does the same, so this decides nothing by itself, and says nothing of one through
/// which many people get in.
pub(super) fn agent_at_odds(look: &Look<'_>) -> Option<String> {
    if look.profile.is_crowd() {
        return None;
    }
    share(look, Count::AtOdds, 50, Count::Claims, "requests as a browser have another's hello")
}

/// A `User-Agent` of one system over connections of another. Relays and some VPNs open them in
/// their clients' place, so this counts little.
pub(super) fn system_at_odds(look: &Look<'_>) -> Option<String> {
    if look.profile.is_crowd() {
        return None;
    }
    share(look, Count::OtherSystem, 80, Count::Systems, "requests name another system than the SYN")
}

/// A browser that names no language.
pub(super) fn no_language(look: &Look<'_>) -> Option<String> {
    share(look, Count::Mute, 90, Count::Speaking, "requests as a browser name no language")
}

/// A Chromium that gives no client hints.
pub(super) fn no_client_hints(look: &Look<'_>) -> Option<String> {
    share(look, Count::Unhinted, 90, Count::Hinting, "requests as Chromium give no client hints")
}

/// Many fingerprints and few programs: an office has both.
pub(super) fn many_fingerprints(look: &Look<'_>) -> Option<String> {
    let (fingerprints, agents) = (look.profile.others.estimate(), look.profile.agents.estimate());
    let is_odd = fingerprints >= 8 && agents * 2 <= fingerprints;
    is_odd.then(|| format!("{fingerprints} fingerprints, {agents} user agents"))
}

/// Many names at one service.
pub(super) fn many_names(look: &Look<'_>) -> Option<String> {
    let names = look.profile.names.estimate();
    (names >= 30).then(|| format!("hellos asked for {names} names"))
}

/// Hellos to nobody by name, as scanners of addresses and health checks send them.
pub(super) fn no_names(look: &Look<'_>) -> Option<String> {
    share(look, Count::Nameless, 50, Count::Handshakes, "hellos ask for nobody by name")
}

fn share(look: &Look<'_>, part: Count, percent: u32, whole: Count, what: &str) -> Option<String> {
    let counts = &look.profile.counts;
    let reaches = counts.reaches(part, FEW, percent, whole);
    reaches.then(|| format!("{} of {} {what}", counts.of(part), counts.of(whole)))
}

/// Fewer say nothing.
const FEW: u32 = 5;
