//! Throw-away namespaces: a command in its own network, mounts and processes.
//!
//! Nothing needs to be cleaned up.
//! Names of namespaces, files, pins and sockets lie on file systems that only the
//! namespace sees, and its processes can't outlive its first one, which the kernel
//! kills with the process that asked for it: whoever is killed, and however, the rest
//! goes too.

use std::ffi::OsStr;
use std::process::Command;

use anyhow::Result;

use crate::exec;

/// `program` in fresh namespaces with private `/proc`, `/sys`, bpffs and `/run`.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = bare("sh");
    let script = format!("set -e; {MOUNTS}; exec \"$0\" \"$@\"");
    command.arg("-c").arg(script).arg(program);
    command
}

/// `program` in fresh namespaces that still see the host's mounts, but for `/proc`.
pub(crate) fn bare(program: impl AsRef<OsStr>) -> Command {
    let mut command = exec::command("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare"]);
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.arg("--").arg(program);
    command
}

/// Gives the calling process, started by [`bare`], the private mounts of [`command`].
///
/// # Errors
///
/// If a file system can't be mounted.
pub(crate) fn mount_private() -> Result<()> {
    exec::stdout_of(exec::command("sh").args(["-ec", MOUNTS]))?;
    Ok(())
}

/// The old `/sys` shows the host's network, so it is mounted anew, and bpffs on it.
const MOUNTS: &str = "mount -t sysfs sysfs /sys; \
    mount -t bpf bpf /sys/fs/bpf; \
    mount -t tmpfs -o mode=0755 tmpfs /run; \
    ip link set lo up";
