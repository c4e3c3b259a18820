//! What is known of fingerprints and browsers before anything was seen.
//!
//! All of it stands in one file, `knowledge.toml`, which says how its rows were made. A newer one
//! can be imported, signed if the operator wants it so.

mod date;
mod file;
mod offer;
mod public_key;
mod summary;

pub use date::Day;
pub use file::KnowledgeError;
pub use offer::{MAX_BYTES, Offer, OfferError, Provenance};
pub use public_key::{KeyError, PublicKey, SignatureError};
pub use summary::{FamilySummary, Newest, Programs, Summary};

use super::family::Family;
use super::judgement::Class;
use super::shape::{Shape, extension, grease, group};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What kind of program sends a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A browser, or one that is remote-controlled.
    Browser,
    /// An HTTP library or client: machines that may well belong here.
    Library,
    /// A scanner, a load generator, a brute-forcer.
    Tool,
}

impl Kind {
    /// The name that operators see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Library => "library",
            Self::Tool => "tool",
        }
    }
}

/// What is known of one fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What kind of program.
    pub kind: Kind,
    /// Which programs, for people.
    pub programs: String,
}

/// Programs that were seen to send one fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    ja4: String,
    #[serde(default)]
    browser: Vec<String>,
    #[serde(default)]
    library: Vec<String>,
    #[serde(default)]
    tool: Vec<String>,
}

/// Browsers by the middle part of their JA4, the sum of their ciphers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct FamilyRow {
    name: Family,
    ciphers: Vec<String>,
    permutes: bool,
}

/// Something that all clients of a family do since a version, and older ones don't.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// Whose.
    pub family: Family,
    /// What they do.
    pub change: Change,
    /// The first version that does.
    pub version: String,
    /// Since when a client that is kept up to date does.
    pub since: Day,
}

/// What can be seen of a version in a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// TLS 1.0 and 1.1 are offered no more.
    NoTls11,
    /// ALPS has its second number.
    NewAlps,
    /// X25519MLKEM768 in the place of X25519Kyber768.
    MlKemForKyber,
    /// ML-DSA is among the signature algorithms.
    MlDsa,
    /// GREASE is among the signature algorithms.
    SignatureGrease,
    /// `ecdsa_sha1` is not.
    NoEcdsaSha1,
}

impl Change {
    /// Whether a hello shows that its client is older than the change.
    #[must_use]
    pub fn is_ahead_of(self, shape: &Shape) -> bool {
        match self {
            Self::NoTls11 => shape.versions.contains(&0x0302),
            Self::NewAlps => shape.has(extension::ALPS_OLD) && !shape.has(extension::ALPS),
            Self::MlKemForKyber => shape.groups.contains(&group::X25519_KYBER768),
            Self::MlDsa => !shape.signatures.contains(&0x0904),
            Self::SignatureGrease => grease(&shape.signatures).is_empty(),
            Self::NoEcdsaSha1 => shape.signatures.contains(&0x0203),
        }
    }
}

/// Known fingerprints, families and milestones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knowledge {
    as_of: Day,
    by_ja4: BTreeMap<String, Row>,
    families: Vec<FamilyRow>,
    milestones: Vec<Milestone>,
}

impl Default for Knowledge {
    fn default() -> Self {
        Self::shipped()
    }
}

impl Knowledge {
    /// The day up to which it was kept.
    #[must_use]
    pub const fn as_of(&self) -> Day {
        self.as_of
    }

    /// What is known of a fingerprint, or of the one that the same program sends when it
    /// is given a name instead of an address.
    #[must_use]
    pub fn look_up(&self, ja4: &str) -> Option<Known> {
        let named = || self.by_ja4.get(with_server_name(ja4)?.as_str());
        self.by_ja4.get(ja4).or_else(named)?.known()
    }

    /// What sends a fingerprint, if nothing more is known of a hello: a tool or a library, as
    /// nobody wears their clothes.
    #[must_use]
    pub fn class_of(&self, ja4: &str) -> Class {
        match self.look_up(ja4).map(|known| known.kind) {
            Some(Kind::Tool) => Class::Tool,
            Some(Kind::Library) => Class::Library,
            Some(Kind::Browser) | None => Class::Unknown,
        }
    }

    /// The family whose ciphers a JA4 names in its middle part.
    #[must_use]
    pub fn family_of(&self, ja4: &str) -> Option<Family> {
        let middle = ja4.split('_').nth(1)?;
        let holds = |row: &&FamilyRow| row.ciphers.iter().any(|ciphers| ciphers == middle);
        self.families.iter().find(holds).map(|row| row.name)
    }

    /// Whether the family writes its extensions in another order each time.
    #[must_use]
    pub fn permutes(&self, family: Family) -> bool {
        self.families.iter().any(|row| row.name == family && row.permutes)
    }

    /// The earliest of its family's changes that a hello doesn't show: its client is older.
    #[must_use]
    pub fn older_than(&self, family: Family, shape: &Shape) -> Option<&Milestone> {
        let ahead = |milestone: &&Milestone| {
            milestone.family == family && milestone.change.is_ahead_of(shape)
        };
        self.milestones.iter().filter(ahead).min_by_key(|milestone| milestone.since)
    }

    /// The same without the given fingerprints, and without what is known of the programs
    /// that `is_kin` names: to judge a client as if nobody had ever seen it.
    #[must_use]
    pub fn without(&self, fingerprints: &[&str], is_kin: impl Fn(&str) -> bool) -> Self {
        let mut rest = self.clone();
        let named = fingerprints.iter().filter_map(|ja4| with_server_name(ja4));
        let named: Vec<String> = named.collect();
        rest.by_ja4.retain(|ja4, row| {
            for programs in [&mut row.browser, &mut row.library, &mut row.tool] {
                programs.retain(|program| !is_kin(program));
            }
            let is_own = fingerprints.contains(&ja4.as_str()) || named.contains(ja4);
            !is_own && row.known().is_some()
        });
        rest
    }
}

impl Row {
    /// A fingerprint that a browser shares is a browser's; one that a library shares with a
    /// tool is a library's: nobody is held for more than is sure.
    fn known(&self) -> Option<Known> {
        let kinds = [
            (Kind::Browser, &self.browser),
            (Kind::Library, &self.library),
            (Kind::Tool, &self.tool),
        ];
        let (kind, _) = kinds.iter().find(|(_, programs)| !programs.is_empty())?;
        let programs: Vec<&str> = self.programs().map(String::as_str).collect();
        Some(Known { kind: *kind, programs: programs.join(", ") })
    }

    fn programs(&self) -> impl Iterator<Item = &String> {
        [&self.browser, &self.library, &self.tool].into_iter().flatten()
    }
}

/// The JA4 of the same hello with a server name: the flag changes, and there is one
/// extension more. The hashes leave that extension out.
fn with_server_name(ja4: &str) -> Option<String> {
    let (start, rest) = ja4.split_at_checked(3)?;
    let (ciphers, rest) = rest.strip_prefix('i')?.split_at_checked(2)?;
    let (extensions, rest) = rest.split_at_checked(2)?;
    let extensions = extensions.parse::<u8>().ok()?.saturating_add(1).min(99);
    Some(format!("{start}d{ciphers}{extensions:02}{rest}"))
}

#[cfg(test)]
mod tests;
