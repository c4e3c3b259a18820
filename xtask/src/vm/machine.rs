//! A machine under QEMU, from its start to its end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::transcript::Transcript;
use crate::{clock, exec, progress, term};

/// What a machine left behind.
pub(super) struct Run {
    pub(super) transcript: Transcript,
    /// What the kernel said.
    pub(super) console: String,
    /// Why it didn't come to its end by itself.
    pub(super) trouble: Option<String>,
    pub(super) seconds: f64,
}

/// What runs the machine's instructions.
#[derive(Clone, Copy)]
pub(super) struct Accelerator(&'static str);

impl Accelerator {
    /// The host's processor, if it is lent; else an emulated one.
    ///
    /// `/dev/kvm` may be there and lead nowhere, so a kernel has to show that it gets as
    /// far as to miss its file system. Its panic then ends the machine.
    pub(super) fn find(kernel: &Path) -> Self {
        let kvm = Self("kvm");
        let usable = File::options().read(true).write(true).open("/dev/kvm").is_ok();
        let mut trial = command(KVM_PATIENCE, kvm);
        if usable && exec::succeeds(trial.arg("-kernel").arg(kernel.join("vmlinuz"))) {
            return kvm;
        }
        term::status("KVM doesn't work here: the processor is emulated");
        Self("tcg")
    }
}

/// Boots a kernel and waits until it powers off, or its time is up.
///
/// # Errors
///
/// If QEMU can't be started, or left nothing behind.
pub(super) fn boot(
    folder: &Path,
    release: &str,
    kernel: &Path,
    image: &Path,
    (accelerator, limit): (Accelerator, Duration),
) -> Result<Run> {
    let log = |kind: &str| -> Result<PathBuf> {
        let file = logs(folder).join(format!("{release}.{kind}"));
        fs::create_dir_all(logs(folder))?;
        fs::write(&file, "").with_context(|| format!("can't write {}", file.display()))?;
        Ok(file)
    };
    let (console, transcript) = (log("console")?, log("transcript")?);
    let start = clock::now();
    let mut qemu = command(limit, accelerator);
    qemu.arg("-kernel").arg(kernel.join("vmlinuz")).arg("-initrd").arg(image);
    for serial in [&console, &transcript] {
        qemu.arg("-serial").arg(format!("file:{}", serial.display()));
    }
    let output = progress::output(&format!("running kernel {release}"), &mut qemu)?;
    let trouble = match output.status.code() {
        Some(0) => None,
        Some(TIMED_OUT) => Some(format!("not done after {} s", limit.as_secs())),
        _ => Some(format!("QEMU: {}", String::from_utf8_lossy(&output.stderr).trim())),
    };
    Ok(Run {
        transcript: Transcript::read(&text(&transcript)?),
        console: text(&console)?,
        trouble,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// Where what the machines said is kept until the next time.
pub(super) fn logs(folder: &Path) -> PathBuf {
    folder.join("logs")
}

/// QEMU with a time limit, with everything but the kernel. It dies with this process.
fn command(limit: Duration, accelerator: Accelerator) -> Command {
    let mut command = exec::command("setpriv");
    command.args(["--pdeathsig", "KILL", "timeout", "--foreground", "--kill-after", "5"]);
    command.arg(limit.as_secs().to_string());
    command.args(["setpriv", "--pdeathsig", "KILL", QEMU]);
    command.args(["-accel", accelerator.0, "-cpu", "max", "-m", MEMORY, "-smp", "2"]);
    command.args(["-nodefaults", "-no-reboot", "-display", "none", "-append", KERNEL_LINE]);
    command
}

/// A serial line may carry anything.
fn text(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) const QEMU: &str = "qemu-system-x86_64";

/// The product's maps take about 200 MB, the file system less.
const MEMORY: &str = "1024";

/// A kernel that panics restarts at once, which ends the machine.
const KERNEL_LINE: &str = "console=ttyS0 panic=-1 loglevel=5";

/// A kernel takes about a second to its panic.
const KVM_PATIENCE: Duration = Duration::from_secs(10);

/// What `timeout` ends with at its limit.
const TIMED_OUT: i32 = 124;
