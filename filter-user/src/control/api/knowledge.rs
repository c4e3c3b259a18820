//! What is known of clients before they were seen.

use crate::classify::knowledge::{Day, Provenance, PublicKey, Summary};
use serde::{Deserialize, Serialize};

/// The knowledge in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KnowledgeInfo {
    /// What there is of it.
    #[serde(flatten)]
    pub summary: Summary,
    /// Where it came from; not said if the program was shipped with it.
    pub imported: Option<Provenance>,
    /// The day of what the program was shipped with.
    pub shipped: Day,
    /// Numbers of the keys of which one must have signed an import; none if it needn't be signed.
    pub keys: Vec<String>,
}

/// Puts a file in the place of the knowledge in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportKnowledge {
    /// What the file is called, to be shown.
    pub file: String,
    /// Its text.
    pub text: String,
    /// The text of its signature by minisign.
    #[serde(default)]
    pub signature: Option<String>,
    /// Keys of which one must have signed it, of those that the configuration names if it names
    /// any; all of those if none is said.
    #[serde(default)]
    pub keys: Vec<PublicKey>,
    /// Whether its day may be before that of what is in force, or in the future.
    #[serde(default)]
    pub force: bool,
}
