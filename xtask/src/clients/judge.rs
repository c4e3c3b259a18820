//! Whether the filter says of each client what somebody else says of it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::oracle::Hello;
use super::told::Told;

/// One run of a client.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) client: &'static str,
    pub(super) browser: bool,
    pub(super) version: String,
    pub(super) mtu: u16,
    pub(super) address: String,
    /// How it ended, and the end of what it said.
    pub(super) said: String,
    /// JA3 that the daemon listed after it.
    pub(super) ja3: Vec<String>,
}

/// What a run came to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub(super) client: &'static str,
    pub(super) version: String,
    pub(super) mtu: u16,
    /// Whether the server gave it a page.
    pub(super) page: bool,
    /// First hellos of connections, as the oracle counts them.
    pub(super) hellos: usize,
    /// TCP segments of the first one.
    pub(super) segments: u32,
    /// The filter's, one for each hello, sorted.
    pub(super) ja4: Vec<String>,
    /// The oracle's, one for each hello, sorted.
    pub(super) oracle_ja4: Vec<String>,
    /// The filter's, of the last hello with each JA4.
    pub(super) ja3: Vec<String>,
    /// The oracle's, one for each hello, sorted.
    pub(super) oracle_ja3: Vec<String>,
    /// Why the filter had no fingerprint, for each such hello.
    pub(super) unfingerprintable: Vec<String>,
    /// Hellos that the filter didn't take as evidence.
    pub(super) unproven: usize,
    /// Hellos of which the oracle's JA4 had to be put right for its GREASE.
    pub(super) grease_removed: usize,
    pub(super) verdict: Verdict,
    /// How the client ended, and the end of what it said.
    #[serde(skip)]
    pub(super) said: String,
    #[serde(skip)]
    browser: bool,
}

/// The filter against the oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// Each hello has the same fingerprint.
    Ok,
    /// The filter says something else.
    Differs,
    /// The filter says nothing of a hello, or that it has no fingerprint.
    Missing,
    /// There was no hello.
    NoHello,
}

impl Row {
    /// Judges a run.
    pub(super) fn new(visit: Visit, hellos: &[Hello], told: Told, page: bool) -> Self {
        let mut row = Self {
            client: visit.client,
            version: visit.version,
            mtu: visit.mtu,
            page,
            hellos: hellos.len(),
            segments: hellos.first().map_or(0, |hello| hello.segments),
            ja4: sorted(told.ja4),
            oracle_ja4: sorted(hellos.iter().map(|hello| hello.ja4.clone()).collect()),
            ja3: visit.ja3,
            oracle_ja3: sorted(hellos.iter().map(|hello| hello.ja3.clone()).collect()),
            unfingerprintable: told.causes,
            unproven: told.unproven,
            grease_removed: hellos.iter().filter(|hello| hello.grease_removed).count(),
            verdict: Verdict::Ok,
            said: visit.said,
            browser: visit.browser,
        };
        row.verdict = row.judge();
        row
    }

    fn judge(&self) -> Verdict {
        if !without(&self.ja4, &self.oracle_ja4).is_empty() || !self.ja3_agrees() {
            Verdict::Differs
        } else if !without(&self.oracle_ja4, &self.ja4).is_empty() {
            Verdict::Missing
        } else if self.hellos == 0 {
            Verdict::NoHello
        } else {
            Verdict::Ok
        }
    }

    /// Whether each JA3 of the filter's is one of this client's, and there is one for its hellos.
    pub(super) fn ja3_agrees(&self) -> bool {
        self.ja3.is_empty() == self.ja4.is_empty()
            && self.ja3.iter().all(|ja3| self.oracle_ja3.contains(ja3))
    }

    /// What is wrong with it, if anything is.
    fn problem(&self) -> Option<String> {
        let what = match self.verdict {
            Verdict::Differs if !self.ja3_agrees() => "its JA3 differs".to_owned(),
            Verdict::Differs => "its JA4 differs".to_owned(),
            Verdict::Missing => {
                let gone = without(&self.oracle_ja4, &self.ja4).len();
                let causes = self.unfingerprintable.join(", ");
                format!("{gone} of {} hellos have no fingerprint ({causes})", self.hellos)
            }
            Verdict::NoHello => "it said no hello".to_owned(),
            Verdict::Ok if !self.page => "it got no page".to_owned(),
            Verdict::Ok if self.browser && self.mtu < SMALL && self.segments < MANY => {
                format!("its hello came in {} segments, not {MANY} or more", self.segments)
            }
            Verdict::Ok => return None,
        };
        Some(format!("{} at MTU {}: {what}", self.client, self.mtu))
    }

    /// Whether all is as it has to be.
    pub(super) fn holds(&self) -> bool {
        self.problem().is_none()
    }
}

/// Names of the clients that said hello in all of their runs.
pub(super) fn tried(rows: &[Row]) -> BTreeSet<&str> {
    let silent: BTreeSet<&str> =
        rows.iter().filter(|row| row.hellos == 0).map(|row| row.client).collect();
    rows.iter().map(|row| row.client).filter(|client| !silent.contains(client)).collect()
}

/// All that is wrong: with rows, and with who was tried. Clients that are `required` have
/// to be among them, and so many kinds.
pub(super) fn problems(rows: &[Row], required: &[&str], kinds: usize) -> Vec<String> {
    let mut problems: Vec<String> = rows.iter().filter_map(Row::problem).collect();
    let tried = tried(rows);
    if tried.len() < kinds {
        problems.push(format!("{} kinds of client were tried, not {kinds}", tried.len()));
    }
    let has_row = |name: &str| rows.iter().any(|row| row.client == name);
    let absent = required.iter().filter(|name| !has_row(name));
    problems.extend(absent.map(|name| format!("{name} was not tried")));
    problems
}

/// What is left of `all` when each of `taken` has taken one that is equal.
fn without<'a>(all: &'a [String], taken: &[String]) -> Vec<&'a str> {
    let mut left: Vec<&str> = all.iter().map(String::as_str).collect();
    for one in taken {
        if let Some(place) = left.iter().position(|other| other == one) {
            left.swap_remove(place);
        }
    }
    left
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// An MTU at which a browser's hello takes this many segments: 1.7 kB at 524 bytes each.
const SMALL: u16 = 600;
const MANY: u32 = 3;

#[cfg(test)]
mod tests;
