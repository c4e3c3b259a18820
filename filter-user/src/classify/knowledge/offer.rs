//! Knowledge that somebody offers, and what it takes to be accepted.

use super::{Day, Knowledge, KnowledgeError, PublicKey, SignatureError};
use serde::{Deserialize, Serialize};

/// Bytes of a file; a longer one is refused before it is looked at. The shipped one has eight
/// thousand.
pub const MAX_BYTES: usize = 1 << 20;

/// A file's text, and its signature if it has one.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The text.
    pub text: &'a str,
    /// The text of its `.minisig`.
    pub signature: Option<&'a str>,
}

/// Where imported knowledge came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The file, as the operator named it.
    pub file: String,
    /// When it was imported, in milliseconds since 1970.
    pub unix_ms: u64,
    /// The number of the key that has signed it; none if nobody asked for a signature.
    pub signed_by: Option<String>,
}

/// Why an offer is refused. Nothing of it is taken.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// It is longer than knowledge gets.
    #[error("it has {0} bytes, and knowledge at most {MAX_BYTES}")]
    TooLong(usize),
    /// Nobody who is trusted has signed it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is no knowledge.
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
    /// It was signed once, and is outdated.
    #[error("it is of {offered}, older than what is in force, of {present}; --force goes back")]
    Older {
        /// Its day.
        offered: Day,
        /// That of what is in force.
        present: Day,
    },
    /// Once in force, it would keep out all that follows.
    #[error("it is of {offered}, and today is {today}: one of them is wrong; --force takes it")]
    Ahead {
        /// Its day.
        offered: Day,
        /// This host's.
        today: Day,
    },
}

impl Offer<'_> {
    /// Reads it, once one of the keys is found to have signed it, and says whose signature that
    /// is. Without keys a signature isn't looked at.
    ///
    /// *Errors*: [`OfferError`], but for those about its day.
    pub fn read(&self, keys: &[PublicKey]) -> Result<(Knowledge, Option<String>), OfferError> {
        if self.text.len() > MAX_BYTES {
            return Err(OfferError::TooLong(self.text.len()));
        }
        let check = || PublicKey::verify(keys, self.text, self.signature);
        let signer = (!keys.is_empty()).then(check).transpose()?;
        Ok((Knowledge::parse(self.text)?, signer))
    }
}

impl Knowledge {
    /// Whether it may take the place of knowledge that was kept up to the day `present`: an old
    /// file keeps its good signature for ever.
    ///
    /// *Errors*: [`OfferError::Older`] and [`OfferError::Ahead`].
    pub fn may_follow(&self, present: Day, today: Day) -> Result<(), OfferError> {
        let offered = self.as_of;
        if offered < present {
            return Err(OfferError::Older { offered, present });
        }
        // Somewhere it is tomorrow already.
        if today.days_before(offered) > 1 {
            return Err(OfferError::Ahead { offered, today });
        }
        Ok(())
    }

    /// Whether it, which the program was shipped with, takes the place of what was imported into
    /// a program that was shipped with knowledge of the day `shipped_then`: a newer release knows
    /// more, but older knowledge that was forced upon this one stays.
    #[must_use]
    pub fn supersedes(&self, imported: Day, shipped_then: Day) -> bool {
        self.as_of > imported.max(shipped_then)
    }
}

#[cfg(test)]
mod tests;
