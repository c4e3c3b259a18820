//! From signals to a class and a score.

use super::evidence::View;
use super::signals::{Direction, Fired, SIGNALS, Signal};
use serde::{Deserialize, Serialize};

/// What a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A browser, as far as its hellos tell.
    Browser,
    /// A browser that a program steers; hellos alone never tell.
    Automation,
    /// An HTTP library or client.
    Library,
    /// A scanner, a load generator, a brute-forcer.
    Tool,
    /// Something that only looks like a browser.
    Impersonator,
    /// Nothing that can be told.
    Unknown,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Browser,
        Self::Automation,
        Self::Library,
        Self::Tool,
        Self::Impersonator,
        Self::Unknown,
    ];

    /// The name that operators see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Automation => "automation",
            Self::Library => "library",
            Self::Tool => "tool",
            Self::Impersonator => "impersonator",
            Self::Unknown => "unknown",
        }
    }
}

/// What is held of a client, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What it is.
    pub class: Class,
    /// How much speaks against its being a browser, from 0 to 100.
    pub score: u32,
    /// The signals that fired, in the order of [`SIGNALS`].
    pub signals: Vec<Fired>,
}

/// What decides.
const DECISIVE: u32 = 50;

/// From here on nothing is sure any more.
const DOUBTFUL: u32 = 20;

const MAX_SCORE: u32 = 100;

/// Judges a client by all signals.
#[must_use]
pub fn judge(view: &View<'_>) -> Judgement {
    judge_by(view, |_| true)
}

/// Judges a client by some signals: to see what the others are good for.
#[must_use]
pub fn judge_by(view: &View<'_>, counts: impl Fn(&Signal) -> bool) -> Judgement {
    let looked = SIGNALS.iter().filter(|signal| counts(signal));
    let fired: Vec<(Direction, Fired)> =
        looked.filter_map(|signal| Some((signal.direction, signal.fire(view)?))).collect();
    let sum = |directions: &[Direction]| -> u32 {
        let counted = fired.iter().filter(|(direction, _)| directions.contains(direction));
        counted.map(|(_, fired)| fired.weight).sum()
    };
    let class = class(view, sum);
    let score = fired.iter().map(|(_, fired)| fired.weight).sum::<u32>().min(MAX_SCORE);
    Judgement { class, score, signals: fired.into_iter().map(|(_, fired)| fired).collect() }
}

/// A tool or library that is known is one, and so is one that wears nothing. Where hellos
/// of a browser and of something else come from one address, several may share it.
fn class(view: &View<'_>, sum: impl Fn(&[Direction]) -> u32) -> Class {
    use Direction::{Disguise, Doubt, Library, Tool};
    let wears = view.worn().next().is_some();
    if wears && view.family().is_none() {
        return Class::Unknown;
    }
    if !wears {
        return match (sum(&[Tool]), sum(&[Tool, Library])) {
            (DECISIVE.., _) => Class::Tool,
            (_, DECISIVE..) => Class::Library,
            _ => Class::Unknown,
        };
    }
    match (sum(&[Disguise]), sum(&[Disguise, Doubt, Tool, Library])) {
        (DECISIVE.., _) => Class::Impersonator,
        (_, DOUBTFUL..) => Class::Unknown,
        _ => Class::Browser,
    }
}

#[cfg(test)]
mod tests;
