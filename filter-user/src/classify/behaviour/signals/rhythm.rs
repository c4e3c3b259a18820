//! How often, and how evenly.

use super::Look;
use crate::classify::behaviour::count::Count;

/// Handshakes upon which nothing is asked, where the log would say so.
pub(super) fn silent_handshakes(look: &Look<'_>) -> Option<String> {
    let counts = &look.profile.counts;
    let (handshakes, requests) = (counts.of(Count::Handshakes), counts.of(Count::Requests));
    let is_silent = look.has_log && handshakes >= 20 && requests * 20 <= handshakes;
    is_silent.then(|| format!("{handshakes} handshakes, {requests} requests"))
}

/// More handshakes than the browsers of a large office make.
pub(super) fn handshake_rate(look: &Look<'_>) -> Option<String> {
    let handshakes = look.profile.counts.of(Count::Handshakes);
    (handshakes >= 20_000).then(|| format!("{handshakes} handshakes in about an hour"))
}

/// A timer. Probes, cron jobs and apps have one too, so this counts little.
pub(super) fn regular(look: &Look<'_>) -> Option<String> {
    let (requests, handshakes) = (&look.profile.requests, &look.profile.handshakes);
    let every_ms = requests.regular_ms().or_else(|| handshakes.regular_ms())?;
    Some(format!("comes every {}.{} s", every_ms / 1000, every_ms % 1000 / 100))
}
