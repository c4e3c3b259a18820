//! What the host has to have before anything is loaded.

use caps::{CapSet, Capability};
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};
use std::path::{Path, PathBuf};

/// Something that is missing.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// A privilege.
    #[error("missing {0}: run as root, or give the daemon CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON")]
    Capability(Capability),
    /// The file system that pins live on.
    #[error(
        "{} is not on a bpffs, so the filter could not outlive the daemon; \
         mount one: mount -t bpf bpf /sys/fs/bpf", .0.display()
    )]
    NoBpffs(PathBuf),
}

/// Checks privileges and the bpffs.
///
/// *Errors*: [`PreflightError`], which says what to do.
pub fn check(pin_dir: &Path) -> Result<(), PreflightError> {
    for needed in [Capability::CAP_BPF, Capability::CAP_NET_ADMIN, Capability::CAP_PERFMON] {
        if !caps::has_cap(None, CapSet::Effective, needed).unwrap_or(false) {
            return Err(PreflightError::Capability(needed));
        }
    }
    let existing = pin_dir.ancestors().find(|path| path.exists());
    let on_bpffs = existing.and_then(|path| statfs(path).ok());
    match on_bpffs {
        Some(found) if found.filesystem_type() == BPF_FS_MAGIC => Ok(()),
        _ => Err(PreflightError::NoBpffs(pin_dir.into())),
    }
}
