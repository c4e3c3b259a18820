//! What the host has to have before anything is loaded.

use aya::programs::{ProgramError, ProgramType};
use aya::sys::{BpfHelper, is_helper_supported};
use caps::{CapSet, Capability};
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};
use std::fs;
use std::path::{Path, PathBuf};

/// Something that is missing.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// A privilege.
    #[error("missing {0}: run as root, or give it CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON")]
    Capability(Capability),
    /// The kernel is too old for helpers that the program calls.
    #[error(
        "this kernel ({release}) lacks BPF helpers of later ones: {missing}; \
         Palisade needs Linux {OLDEST_KERNEL} or later"
    )]
    Kernel {
        /// What `uname -r` says.
        release: String,
        /// Which, and the version of Linux that brought each.
        missing: String,
    },
    /// Not even the smallest program can be loaded.
    #[error("the kernel takes no BPF program at all")]
    NoBpf(#[source] ProgramError),
    /// The file system that pins live on.
    #[error(
        "{} is not on a bpffs, so the filter could not outlive the daemon; \
         mount one: mount -t bpf bpf /sys/fs/bpf", .0.display()
    )]
    NoBpffs(PathBuf),
}

/// Checks privileges, the kernel and the bpffs.
///
/// *Errors*: [`PreflightError`], which says what to do.
pub fn check(pin_dir: &Path) -> Result<(), PreflightError> {
    check_kernel()?;
    let existing = pin_dir.ancestors().find(|path| path.exists());
    let on_bpffs = existing.and_then(|path| statfs(path).ok());
    match on_bpffs {
        Some(found) if found.filesystem_type() == BPF_FS_MAGIC => Ok(()),
        _ => Err(PreflightError::NoBpffs(pin_dir.into())),
    }
}

/// Checks the privileges to load the program, and that the kernel has what it calls.
///
/// The kernel is asked, and not its version: distributions bring helpers to older ones.
///
/// *Errors*: [`PreflightError`], which says what to do.
pub fn check_kernel() -> Result<(), PreflightError> {
    for needed in [Capability::CAP_BPF, Capability::CAP_NET_ADMIN, Capability::CAP_PERFMON] {
        if !caps::has_cap(None, CapSet::Effective, needed).unwrap_or(false) {
            return Err(PreflightError::Capability(needed));
        }
    }
    let missing = missing(|helper| is_helper_supported(ProgramType::Xdp, helper))?;
    if missing.is_empty() {
        return Ok(());
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Err(PreflightError::Kernel { release: release.trim().into(), missing })
}

/// The helpers that the kernel lacks, each with its version, or nothing.
fn missing(
    has: impl Fn(BpfHelper) -> Result<bool, ProgramError>,
) -> Result<String, PreflightError> {
    let mut missing = Vec::new();
    for (helper, since) in HELPERS {
        if !has(helper).map_err(PreflightError::NoBpf)? {
            missing.push(format!("{} (Linux {since})", name_of(helper)));
        }
    }
    Ok(missing.join(", "))
}

fn name_of(helper: BpfHelper) -> String {
    format!("{helper:?}").replace("BPF_FUNC_", "bpf_")
}

/// What the program calls beyond Linux 5.0, and which version brought it to XDP. The ring
/// buffer's map came with its helpers.
const HELPERS: [(BpfHelper, &str); 10] = [
    (BpfHelper::BPF_FUNC_skc_lookup_tcp, "5.2"),
    (BpfHelper::BPF_FUNC_tcp_check_syncookie, "5.2"),
    (BpfHelper::BPF_FUNC_ringbuf_output, "5.8"),
    (BpfHelper::BPF_FUNC_skc_to_tcp_sock, "5.9"),
    (BpfHelper::BPF_FUNC_skc_to_tcp_request_sock, "5.9"),
    (BpfHelper::BPF_FUNC_ktime_get_coarse_ns, "5.11"),
    (BpfHelper::BPF_FUNC_loop, "5.17"),
    (BpfHelper::BPF_FUNC_xdp_get_buff_len, "5.18"),
    (BpfHelper::BPF_FUNC_xdp_load_bytes, "5.18"),
    (BpfHelper::BPF_FUNC_xdp_store_bytes, "5.18"),
];

/// Whether the host's servers may take data in a SYN (TCP Fast Open), which the filter doesn't
/// read: no socket can vouch for it.
///
/// *Source*: the kernel's `Documentation/networking/ip-sysctl.rst`, `tcp_fastopen`.
#[must_use]
pub fn allows_fast_open() -> bool {
    const SERVER: u32 = 2;
    let setting = fs::read_to_string("/proc/sys/net/ipv4/tcp_fastopen").unwrap_or_default();
    setting.trim().parse::<u32>().is_ok_and(|bits| bits & SERVER != 0)
}

/// The oldest kernel that each version of Palisade is tried on, by `cargo xtask vm`.
const OLDEST_KERNEL: &str = "6.1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_kernel_is_told_what_it_lacks() {
        let old = ["bpf_skc", "bpf_ringbuf", "bpf_tcp", "bpf_xdp"];
        let has = |helper| Ok(old.iter().any(|start| name_of(helper).starts_with(start)));
        let error = PreflightError::Kernel {
            release: "5.10.0-46-cloud-amd64".into(),
            missing: missing(has).unwrap(),
        };
        assert_eq!(
            error.to_string(),
            "this kernel (5.10.0-46-cloud-amd64) lacks BPF helpers of later ones: \
             bpf_ktime_get_coarse_ns (Linux 5.11), bpf_loop (Linux 5.17); \
             Palisade needs Linux 6.1 or later"
        );
    }

    #[test]
    fn a_kernel_that_has_everything_lacks_nothing() {
        assert_eq!(missing(|_| Ok(true)).unwrap(), "");
    }

    #[test]
    fn a_kernel_that_takes_no_program_is_not_called_old() {
        let refused = missing(|_| Err(ProgramError::NotLoaded));
        assert!(matches!(refused, Err(PreflightError::NoBpf(_))));
    }
}
