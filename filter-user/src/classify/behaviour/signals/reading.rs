//! What is asked for.

use super::Look;
use crate::classify::behaviour::count::Count;
use crate::classify::behaviour::rush::WINDOW_MS;

/// Numbers tried one after another. Those who fetch all that is theirs do so too, so this
/// decides nothing by itself.
pub(super) fn enumeration(look: &Look<'_>) -> Option<String> {
    let profile = look.profile;
    let (counts, steps) = (&profile.counts, profile.counts.of(Count::Steps));
    let accounts = profile.failed_accounts.estimate() + profile.passed_accounts.estimate();
    let is_wide = profile.paths.estimate().max(accounts) >= 30;
    let reaches = counts.reaches(Count::Steps, 30, 40, Count::Numbers);
    (is_wide && reaches).then(|| format!("{steps} numbers tried one after another"))
}

/// Many different things that don't exist. A dead link is one thing.
pub(super) fn not_found(look: &Look<'_>) -> Option<String> {
    let (counts, paths) = (&look.profile.counts, look.profile.paths.estimate());
    let reaches = paths >= 20 && counts.reaches(Count::Missing, 30, 50, Count::Requests);
    let missing = counts.of(Count::Missing);
    reaches.then(|| format!("{missing} requests for what isn't there, {paths} paths"))
}

/// Many different things, hardly any twice. What comes through a proxy of many is so too.
pub(super) fn breadth(look: &Look<'_>) -> Option<String> {
    let paths = &look.profile.paths;
    let is_broad = !look.profile.is_crowd() && paths.reaches(200, 50);
    is_broad.then(|| format!("{} paths in {} requests", paths.estimate(), paths.taken()))
}

/// New things faster than anybody reads, for longer than a page takes to load.
pub(super) fn rush(look: &Look<'_>) -> Option<String> {
    let most = look.profile.rush.most();
    let is_fast = !look.profile.is_crowd() && most >= FAST;
    is_fast.then(|| format!("{most} different paths within {} s", WINDOW_MS / 1000))
}

const FAST: u32 = 250;

/// Many different things, of all who have a fingerprint. Apps ask for much that nobody else does, so it
/// takes more.
pub(super) fn breadth_together(look: &Look<'_>) -> Option<String> {
    let (paths, clients) = (&look.profile.paths, look.profile.others.estimate());
    let said = || {
        let (paths, requests) = (paths.estimate(), paths.taken());
        format!("{paths} paths in {requests} requests of {clients} clients")
    };
    paths.reaches(500, 90).then(said)
}
