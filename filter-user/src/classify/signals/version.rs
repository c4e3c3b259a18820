//! How old a browser is that would send a hello.

use crate::classify::evidence::{Hello, View};
use crate::classify::family::Family;
use std::fmt;

/// A version that has been out of date for more than a year.
pub(super) fn long_gone(view: &View<'_>) -> Option<String> {
    long_gone_where(view, |_, _| true)
}

/// The same of some hellos.
pub(super) fn long_gone_where(
    view: &View<'_>,
    counts: impl Fn(Family, &Hello) -> bool,
) -> Option<String> {
    let oldest = oldest(view, counts)?;
    (oldest.days > GONE_DAYS).then(|| oldest.to_string())
}

/// A version that has been out of date for months: browsers renew themselves within weeks.
pub(super) fn stale(view: &View<'_>) -> Option<String> {
    let oldest = oldest(view, |_, _| true)?;
    let is_stale = oldest.days > STALE_DAYS && oldest.days <= GONE_DAYS;
    is_stale.then(|| oldest.to_string())
}

/// A version that is out of date.
struct Aged<'a> {
    family: Family,
    /// The first one that would have sent something else.
    version: &'a str,
    days: u32,
}

impl fmt::Display for Aged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, version, days } = self;
        write!(f, "older than {} {version}, and so for {days} days", family.name())
    }
}

/// The oldest of its versions.
fn oldest<'a>(view: &View<'a>, counts: impl Fn(Family, &Hello) -> bool) -> Option<Aged<'a>> {
    let counted = view.worn().filter(|(family, hello)| counts(*family, hello));
    let aged = counted.filter_map(|(family, hello)| {
        let milestone = view.knowledge.older_than(family, hello.shape())?;
        let days = milestone.since.days_before(view.today);
        Some(Aged { family, version: &milestone.version, days })
    });
    aged.max_by_key(|aged| aged.days)
}

/// Some keep the browser that their system came with; they are few after a year.
const GONE_DAYS: u32 = 365;

/// Browsers have a version every two to four weeks, and an extended one for some months more.
const STALE_DAYS: u32 = 120;
