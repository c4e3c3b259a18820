//! What there is of knowledge, for people.

use super::file::FORMAT;
use super::{Day, FamilyRow, Kind, Knowledge, Row};
use serde::{Deserialize, Serialize};

/// How much is known, and up to when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The format of its file.
    pub format: u32,
    /// The day up to which it was kept.
    pub as_of: Day,
    /// Browsers.
    pub families: Vec<FamilySummary>,
    /// Fingerprints.
    pub fingerprints: Programs,
}

/// What is known of a family of browsers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilySummary {
    /// Its name.
    pub name: String,
    /// Middle parts of JA4s that are its own.
    pub ciphers: Vec<String>,
    /// Whether it writes its extensions in another order each time.
    pub permutes: bool,
    /// Changes by which its versions are told.
    pub milestones: usize,
    /// The last of them.
    pub newest: Option<Newest>,
}

/// The last change of a family that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newest {
    /// The version that brought it.
    pub version: String,
    /// Since when.
    pub since: Day,
}

/// Fingerprints by what sends them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programs {
    /// Those of browsers.
    pub browser: usize,
    /// Those of libraries.
    pub library: usize,
    /// Those of tools.
    pub tool: usize,
}

impl Knowledge {
    /// How much it is.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let known = |kind| {
            let kinds = self.by_ja4.values().filter_map(Row::known);
            kinds.filter(|known| known.kind == kind).count()
        };
        Summary {
            format: FORMAT,
            as_of: self.as_of,
            families: self.families.iter().map(|row| self.summary_of(row)).collect(),
            fingerprints: Programs {
                browser: known(Kind::Browser),
                library: known(Kind::Library),
                tool: known(Kind::Tool),
            },
        }
    }

    fn summary_of(&self, row: &FamilyRow) -> FamilySummary {
        let milestones = self.milestones.iter().filter(|milestone| milestone.family == row.name);
        let newest = milestones.clone().max_by_key(|milestone| milestone.since);
        FamilySummary {
            name: row.name.name().into(),
            ciphers: row.ciphers.clone(),
            permutes: row.permutes,
            milestones: milestones.count(),
            newest: newest.map(|milestone| Newest {
                version: milestone.version.clone(),
                since: milestone.since,
            }),
        }
    }
}
