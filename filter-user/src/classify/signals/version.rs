//! How old a browser is that would send a hello.

use crate::classify::evidence::{Hello, View};
use crate::classify::family::Family;

/// A version that has been out of date for more than a year.
pub(super) fn long_gone(view: &View<'_>) -> Option<String> {
    long_gone_where(view, |_, _| true)
}

/// The same of some hellos.
pub(super) fn long_gone_where(
    view: &View<'_>,
    counts: impl Fn(Family, &Hello) -> bool,
) -> Option<String> {
    let (days, text) = oldest(view, counts)?;
    (days > GONE_DAYS).then_some(text)
}

/// A version that has been out of date for months: browsers renew themselves within weeks.
pub(super) fn stale(view: &View<'_>) -> Option<String> {
    let (days, text) = oldest(view, |_, _| true)?;
    (days > STALE_DAYS && days <= GONE_DAYS).then_some(text)
}

/// For how many days the oldest of its versions has been out of date.
fn oldest(view: &View<'_>, counts: impl Fn(Family, &Hello) -> bool) -> Option<(u32, String)> {
    let counted = view.worn().filter(|(family, hello)| counts(*family, hello));
    let aged = counted.filter_map(|(family, hello)| {
        let milestone = view.knowledge.older_than(family, hello.shape())?;
        let days = milestone.since.days_before(view.today);
        let (name, version) = (family.name(), &milestone.version);
        Some((days, format!("older than {name} {version}, and so for {days} days")))
    });
    aged.max_by_key(|(days, _)| *days)
}

/// Some keep the browser that their system came with; they are few after a year.
const GONE_DAYS: u32 = 365;

/// Browsers have a version every two to four weeks, and an extended one for some months more.
const STALE_DAYS: u32 = 120;
