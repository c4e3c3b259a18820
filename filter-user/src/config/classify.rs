//! What the classifier does.

use super::ConfigError;
use crate::classify::decision::policy::Policy;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// What the classifier does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Classify {
    /// Whether a hello counts as evidence only if a local, established TCP socket fits
    /// it. Hosts that forward to other hosts have no such sockets.
    pub require_socket: bool,
    /// The file that says what follows from what clients are and do; a path that isn't absolute
    /// begins at the configuration's folder. If none is named, the built-in policy is in force,
    /// which only counts.
    pub policy: Option<PathBuf>,
}

impl Default for Classify {
    fn default() -> Self {
        Self { require_socket: true, policy: None }
    }
}

impl Classify {
    /// Reads the policy.
    ///
    /// *Errors*: as [`load_policy`].
    pub fn load_policy(&self) -> Result<Policy, ConfigError> {
        self.policy.as_deref().map_or_else(|| Ok(Policy::default()), load_policy)
    }

    /// Has a path begin at a folder.
    pub(super) fn settle(&mut self, folder: &Path) {
        if let Some(path) = &mut self.policy {
            *path = folder.join(&*path);
        }
    }
}

/// Reads a policy's file.
///
/// *Errors*: [`ConfigError`]; its text names the file and the line.
pub fn load_policy(path: &Path) -> Result<Policy, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.into(), source })?;
    let policy: Policy =
        toml::from_str(&text).map_err(|source| ConfigError::Parse { path: path.into(), source })?;
    policy.check().map_err(|source| ConfigError::Policy { path: path.into(), source })?;
    Ok(policy)
}
