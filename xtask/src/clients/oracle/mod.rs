//! Somebody else's word on the same hellos: what a capture says they are.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::term;

mod grease;
mod host;
mod tshark;

/// A hello in a capture, as an implementation that isn't the filter's reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Hello {
    /// Whose it is.
    pub(super) client: String,
    pub(super) ja4: String,
    pub(super) ja3: String,
    /// TCP segments that it came in.
    pub(super) segments: u32,
    /// Whether the oracle's JA4 had GREASE in it, which JA4 leaves out, and was put right.
    pub(super) grease_removed: bool,
}

/// Who reads captures.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Oracle {
    /// Wireshark's own JA4 and JA3.
    Tshark { command: Vec<PathBuf>, version: String },
    /// The filter's implementation for the host: it isn't the kernel's, but it is kin to it.
    HostEngine,
}

impl Oracle {
    /// Takes the host's tshark if it knows JA4, else Debian's newer one, which is unpacked
    /// below `folder` and not installed, else the host engine.
    pub(super) fn prepare(folder: &Path) -> Self {
        match tshark::find_or_fetch(folder) {
            Ok(tshark) => tshark,
            Err(error) => {
                term::status(&format!("there is no tshark that knows JA4: {error:#}"));
                Self::HostEngine
            }
        }
    }

    /// Every first hello of a connection to the server's address, in the order of the capture.
    ///
    /// # Errors
    ///
    /// If the capture can't be read.
    pub(super) fn hellos(
        &self,
        capture: &Path,
        server: &str,
        programs: &Path,
    ) -> Result<Vec<Hello>> {
        match self {
            Self::Tshark { command, .. } => tshark::hellos(command, capture, server),
            Self::HostEngine => host::hellos(programs, capture),
        }
    }

    /// A name for people.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Tshark { version, .. } => format!("tshark {version}"),
            Self::HostEngine => "palisade's host engine".to_owned(),
        }
    }

    /// Whether it shares no code with the filter.
    pub(super) fn is_independent(&self) -> bool {
        matches!(self, Self::Tshark { .. })
    }
}
