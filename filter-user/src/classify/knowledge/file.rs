//! The knowledge's file.

use super::{Day, FamilyRow, Knowledge, Milestone, Row};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Why a text is no knowledge. Nothing of it is taken.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// A line can't be read, or a field is missing, unknown or wrong. The message shows the
    /// line.
    #[error("{0}")]
    Field(#[from] toml::de::Error),
    /// It was written for another version of the program.
    #[error(
        "the knowledge has format {found}; this program reads format {FORMAT}: take a file of that \
         format, or a release that reads the other"
    )]
    Format {
        /// The format that it names.
        found: u32,
    },
    /// A fingerprint has no form of one.
    #[error("fingerprint {0:?}: a JA4 looks like t13d1516h2_8daaf6152771_e5627efa2ab1")]
    Ja4(String),
    /// A fingerprint stands there twice.
    #[error("fingerprint {0} stands there twice: write its programs into one row")]
    Twice(String),
    /// A fingerprint is nobody's.
    #[error("fingerprint {0} has neither browser, library nor tool")]
    Nobody(String),
    /// A family's ciphers are no part of a JA4.
    #[error("family {0}: {1:?} is no middle part of a JA4, such as 8daaf6152771")]
    Ciphers(&'static str, String),
    /// A program or a version has a name that can't be shown.
    #[error("{0:?} is no name of a program or version: 1 to {MAX_NAME} printable ASCII characters")]
    Name(String),
}

/// The format that is read: raised when a field changes its meaning.
pub(super) const FORMAT: u32 = 1;

/// Characters of a name. They end up in terminals and in reasons of verdicts.
const MAX_NAME: usize = 64;

pub(super) const SHIPPED: &str = include_str!("knowledge.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    format: u32,
    as_of: Day,
    #[serde(default)]
    family: Vec<FamilyRow>,
    #[serde(default)]
    milestone: Vec<Milestone>,
    #[serde(default)]
    fingerprint: Vec<Row>,
}

/// Read before the rest, so that a newer file is refused for what it is.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Knowledge {
    /// Reads a file's text.
    ///
    /// *Errors*: [`KnowledgeError`].
    pub fn parse(text: &str) -> Result<Self, KnowledgeError> {
        let Format { format: found } = toml::from_str(text)?;
        if found != FORMAT {
            return Err(KnowledgeError::Format { found });
        }
        let file: Contents = toml::from_str(text)?;
        debug_assert_eq!(file.format, FORMAT);
        file.family.iter().try_for_each(check_family)?;
        file.milestone.iter().try_for_each(|milestone| check_name(&milestone.version))?;
        let mut by_ja4 = BTreeMap::new();
        for row in file.fingerprint {
            check(&row)?;
            if let Some(twice) = by_ja4.insert(row.ja4.clone(), row) {
                return Err(KnowledgeError::Twice(twice.ja4));
            }
        }
        let (as_of, families, milestones) = (file.as_of, file.family, file.milestone);
        Ok(Self { as_of, by_ja4, families, milestones })
    }

    /// What the program was shipped with; a test reads it, so there is always one.
    pub(super) fn shipped() -> Self {
        Self::parse(SHIPPED).unwrap_or(Self {
            as_of: Day::default(),
            by_ja4: BTreeMap::new(),
            families: Vec::new(),
            milestones: Vec::new(),
        })
    }
}

fn check(row: &Row) -> Result<(), KnowledgeError> {
    let lengths: Vec<usize> = row.ja4.split('_').map(str::len).collect();
    let is_plain = row.ja4.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if lengths != [10, 12, 12] || !is_plain {
        return Err(KnowledgeError::Ja4(row.ja4.clone()));
    }
    row.programs().try_for_each(|name| check_name(name))?;
    let nobody = || KnowledgeError::Nobody(row.ja4.clone());
    row.known().map(|_| ()).ok_or_else(nobody)
}

fn check_family(row: &FamilyRow) -> Result<(), KnowledgeError> {
    let is_sum = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_hexdigit());
    match row.ciphers.iter().find(|text| !is_sum(text)) {
        Some(text) => Err(KnowledgeError::Ciphers(row.name.name(), text.clone())),
        None => Ok(()),
    }
}

fn check_name(name: &str) -> Result<(), KnowledgeError> {
    let is_name =
        (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|b| matches!(b, b' '..=b'~'));
    is_name.then_some(()).ok_or_else(|| KnowledgeError::Name(name.to_owned()))
}
