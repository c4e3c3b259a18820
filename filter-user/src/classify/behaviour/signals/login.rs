//! Attempts to log in.

use super::Look;
use crate::classify::behaviour::count::Count;
use crate::classify::judgement::Class;

/// Attempts that nearly all fail.
pub(super) fn failures(look: &Look<'_>) -> Option<String> {
    let counts = &look.profile.counts;
    counts.reaches(Count::Failures, 10, 90, Count::Tries).then(|| tried(look))
}

/// Far more of them than anybody types.
pub(super) fn hammering(look: &Look<'_>) -> Option<String> {
    let counts = &look.profile.counts;
    counts.reaches(Count::Failures, 60, 90, Count::Tries).then(|| tried(look))
}

/// Many accounts that stay closed.
pub(super) fn many_accounts(look: &Look<'_>) -> Option<String> {
    let accounts = look.profile.failed_accounts.estimate();
    let fails = look.profile.counts.reaches(Count::Failures, MANY, 80, Count::Tries);
    (fails && accounts >= MANY).then(|| format!("{accounts} accounts tried in vain"))
}

/// One of many programs with one fingerprint that fail together, and that didn't get in. Where
/// good clients have it too, some of these mistype while it goes on.
pub(super) fn failing_group(look: &Look<'_>) -> Option<String> {
    let is_program = matches!(look.class, Class::Library | Class::Tool | Class::Impersonator);
    is_program.then(|| failing_member(look, if look.is_shared { 2 } else { 1 }))?
}

/// The same of what may be a browser: people mistype, so once is nothing.
pub(super) fn failing_browsers(look: &Look<'_>) -> Option<String> {
    let may_be = matches!(look.class, Class::Browser | Class::Automation | Class::Unknown);
    may_be.then(|| failing_member(look, 2))?
}

/// Many clients with one fingerprint that fail, where hardly any gets in.
pub(super) fn failing_together(look: &Look<'_>) -> Option<String> {
    let failing = look.failing_together?;
    Some(format!("{failing} clients fail to log in: {}", tried(look)))
}

/// Hardly any account tried twice, by clients that fail together: a list is worked through.
pub(super) fn accounts_together(look: &Look<'_>) -> Option<String> {
    let accounts = &look.profile.failed_accounts;
    let is_list = look.failing_together.is_some() && accounts.reaches(20, 50);
    let said = || format!("{} accounts in {} attempts", accounts.estimate(), accounts.taken());
    is_list.then(said)
}

fn failing_member(look: &Look<'_>, least: u32) -> Option<String> {
    let (failing, counts) = (look.failing_together?, &look.profile.counts);
    let is_one = counts.of(Count::Failures) >= least && counts.of(Count::Successes) == 0;
    is_one.then(|| format!("{failing} clients with its fingerprint fail to log in as it does"))
}

fn tried(look: &Look<'_>) -> String {
    let counts = &look.profile.counts;
    format!(
        "{} of {} attempts to log in failed",
        counts.of(Count::Failures),
        counts.of(Count::Tries)
    )
}

const MANY: u32 = 6;
