//! Signals: what speaks for or against a client, each with a weight and its evidence.
//!
//! A signal is one function and one line in [`SIGNALS`].

mod conduct;
mod grease;
mod known;
mod order;
mod structure;
mod system;
mod version;

use super::evidence::View;

/// What a signal speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A scanner, a load generator, a brute-forcer.
    Tool,
    /// An HTTP library or client.
    Library,
    /// Something that only looks like a browser.
    Disguise,
    /// Anybody but an ordinary client.
    Doubt,
}

/// A signal.
#[derive(Clone, Copy, Debug)]
pub struct Signal {
    /// Its stable name.
    pub name: &'static str,
    /// What it counts, of the 50 that decide.
    pub weight: u32,
    /// What it speaks for.
    pub direction: Direction,
    /// Whether it fires; what it saw, for people.
    pub look: fn(&View<'_>) -> Option<String>,
}

/// A signal that fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// Its name.
    pub name: &'static str,
    /// Its weight.
    pub weight: u32,
    /// What it saw.
    pub evidence: String,
}

use Direction::{Disguise, Doubt, Library, Tool};

const fn signal(
    name: &'static str,
    weight: u32,
    direction: Direction,
    look: fn(&View<'_>) -> Option<String>,
) -> Signal {
    Signal { name, weight, direction, look }
}

/// All of them. What a browser never does counts 50 or more, what few do less: two of those
/// have to come together.
pub const SIGNALS: &[Signal] = &[
    signal("known-tool", 100, Tool, known::tool),
    signal("known-library", 100, Library, known::library),
    signal("library-stack", 60, Library, known::stack),
    signal("near-family", 10, Doubt, known::near_family),
    signal("grease", 60, Disguise, grease::broken),
    signal("grease-of-nobody", 30, Doubt, grease::of_nobody),
    signal("fixed-order", 60, Disguise, order::fixed),
    signal("permuted-order", 60, Disguise, order::permuted),
    signal("safari-permutes", 30, Disguise, order::safari_permutes),
    signal("cipher-order", 60, Disguise, order::ciphers),
    signal("h3-over-tcp", 60, Disguise, structure::h3_over_tcp),
    signal("version-at-odds", 60, Disguise, structure::version_at_odds),
    signal("signatures-at-odds", 60, Disguise, structure::signatures_at_odds),
    signal("extensions-at-odds", 60, Disguise, structure::extensions_at_odds),
    signal("key-shares", 60, Disguise, structure::key_shares),
    signal("ech", 60, Disguise, structure::ech),
    signal("alps", 60, Disguise, structure::alps),
    signal("padding", 60, Disguise, structure::padding),
    signal("version-long-gone", 40, Disguise, version::long_gone),
    signal("version-stale", 25, Doubt, version::stale),
    signal("old-on-linux", 20, Disguise, system::old_on_linux),
    signal("syn-at-odds", 30, Disguise, system::syn_at_odds),
    signal("many-fingerprints", 10, Doubt, conduct::many_fingerprints),
    signal("unfingerprintable", 20, Doubt, conduct::unfingerprintable),
];

impl Signal {
    /// Looks at a client.
    #[must_use]
    pub fn fire(&self, view: &View<'_>) -> Option<Fired> {
        let evidence = (self.look)(view)?;
        Some(Fired { name: self.name, weight: self.weight, evidence })
    }
}

#[cfg(test)]
mod tests;
