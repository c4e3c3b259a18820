//! Debian's archives, through an apt that knows nothing of the host's own packages.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::kernel::{self, Kernel};
use crate::setup::Apt;
use crate::{exec, progress, term};

/// The kernels of several of Debian's releases, and those that were fetched.
pub(super) struct Archive {
    folder: PathBuf,
    apt: Apt,
    /// The names of all kernel packages.
    pub(super) packages: Vec<String>,
}

impl Archive {
    /// Asks the mirrors that the host's apt uses; without them, what they said last.
    ///
    /// # Errors
    ///
    /// If there is no apt, no mirror of Debian, or no list and no way to get one.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let apt = Apt::beside_the_hosts(&folder.join("apt"), &SUITES)
            .context("kernels come from Debian's archives, through apt")?;
        let mut archive = Self { folder: folder.to_owned(), apt, packages: Vec::new() };
        let mut update = archive.apt.command("apt-get");
        update.args(["update", "--error-on=any"]);
        let updated = progress::quietly("asking Debian's mirror for its kernels", &mut update);
        let found = exec::stdout_of(archive.apt.command("apt-cache").args([
            "search",
            "--names-only",
            kernel::PATTERN,
        ]))?;
        archive.packages = names(&found);
        match updated {
            Err(error) if archive.packages.is_empty() => Err(error.context(OFFLINE)),
            Err(error) => {
                term::status(&format!("{error:#}"));
                term::status("going on with what the mirror said before");
                Ok(archive)
            }
            Ok(_) => Ok(archive),
        }
    }

    /// The folder of a kernel, with `vmlinuz` and `veth.ko` in it.
    ///
    /// # Errors
    ///
    /// If it can't be fetched, or its packages hold something else.
    pub(super) fn fetch(&self, kernel: &Kernel) -> Result<PathBuf> {
        let folder = self.folder.join("kernels").join(&kernel.release);
        if folder.exists() {
            return Ok(folder);
        }
        // Only what is complete gets its name.
        let partial = folder.with_added_extension("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        let content = partial.join("content");
        fs::create_dir_all(&content)?;
        let mut download = self.apt.command("apt-get");
        download.arg("download").args(&kernel.packages).current_dir(&partial);
        progress::quietly(&format!("fetching kernel {}", kernel.release), &mut download)?;
        for package in files(&partial, "*.deb")? {
            let mut unpack = exec::command("dpkg-deb");
            exec::stdout_of(unpack.arg("--extract").arg(&package).arg(&content))?;
            fs::remove_file(package)?;
        }
        take(&content, "vmlinuz*", &partial.join("vmlinuz"))?;
        take(&content, "veth.ko*", &partial.join("veth.ko"))?;
        fs::remove_dir_all(content)?;
        fs::rename(&partial, &folder)?;
        Ok(folder)
    }
}

/// `name - description`, line by line.
fn names(found: &str) -> Vec<String> {
    found.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

/// Copies the one file of this name, unpacked: the kernels' own tools aren't in the machine.
fn take(content: &Path, name: &str, to: &Path) -> Result<()> {
    let found = files(content, name)?;
    let [file] = &found[..] else {
        bail!("the kernel's packages hold {} files {name}, not one", found.len());
    };
    if file.extension().is_some_and(|extension| extension == "xz") {
        let mut unpack = exec::command("busybox");
        unpack.arg("xzcat").arg(file).stdout(fs::File::create(to)?);
        exec::stdout_of(&mut unpack)?;
    } else {
        fs::copy(file, to)?;
    }
    Ok(())
}

fn files(folder: &Path, name: &str) -> Result<Vec<PathBuf>> {
    let mut find = exec::command("find");
    let found = exec::stdout_of(find.arg(folder).args(["-type", "f", "-name", name]))?;
    Ok(found.lines().map(PathBuf::from).collect())
}

/// Where Debian's kernels are: what its last three releases run now, the last backport,
/// and the last of all.
const SUITES: [&str; 5] =
    ["bullseye-security", "bookworm-security", "trixie-security", "trixie-backports", "sid"];

const OFFLINE: &str = "Debian's mirror can't be asked for its kernels, and never was before";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_names_come_before_their_description() {
        assert_eq!(names("linux-image-1 - Linux for x86-64\n"), ["linux-image-1"]);
    }
}
