//! The machine's file system: the product, its corpus and a shell, in memory.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{exec, workspace};

/// A folder that becomes the machine's root.
pub(super) struct Image {
    root: PathBuf,
}

impl Image {
    /// Puts together what is the same for every kernel.
    ///
    /// # Errors
    ///
    /// If something can't be copied.
    pub(super) fn new(folder: &Path, programs: &Path) -> Result<Self> {
        let root = folder.join("root");
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        let image = Self { root };
        for empty in ["dev", "proc", "run", "sys", "tmp"] {
            fs::create_dir_all(image.root.join(empty))?;
        }
        let shell = exec::find("busybox").context("busybox isn't there")?;
        image.add_program(&shell)?;
        for program in ["palisade", "palisaded"] {
            image.add_program(&programs.join(program))?;
        }
        for folder in ["hellos", "evasion"] {
            image.add_captures(folder)?;
        }
        let init = image.root.join("init");
        fs::write(&init, GUEST)?;
        fs::set_permissions(&init, fs::Permissions::from_mode(0o755))?;
        Ok(image)
    }

    /// Packs it for a kernel, with that kernel's own module.
    ///
    /// # Errors
    ///
    /// If it can't be packed.
    pub(super) fn pack(&self, kernel: &Path) -> Result<PathBuf> {
        copy(&kernel.join("veth.ko"), &self.root.join("veth.ko"))?;
        let packed = self.root.with_extension("cpio");
        let mut pack = exec::command("sh");
        pack.args(["-ec", PACK]).current_dir(&self.root).stdout(fs::File::create(&packed)?);
        exec::stdout_of(&mut pack)?;
        Ok(packed)
    }

    /// A program with the libraries that it is linked to, where its loader looks for them.
    fn add_program(&self, program: &Path) -> Result<()> {
        let name = program.file_name().context("a program without a name")?;
        copy(program, &self.root.join("bin").join(name))?;
        // A static program has none, and that isn't said in any better way.
        let said = exec::command("ldd").arg(program).output().context("can't start ldd")?;
        for library in libraries(&String::from_utf8_lossy(&said.stdout)) {
            let inside = library.strip_prefix("/").unwrap_or(&library);
            copy(&library, &self.root.join(inside))?;
        }
        Ok(())
    }

    fn add_captures(&self, folder: &str) -> Result<()> {
        let captures = corpus(folder);
        for entry in fs::read_dir(&captures)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "pcap") {
                let name = path.file_name().unwrap_or_default();
                copy(&path, &self.root.join("corpus").join(folder).join(name))?;
            }
        }
        Ok(())
    }
}

/// A folder of captures with what is known about them.
pub(super) fn corpus(folder: &str) -> PathBuf {
    workspace::root().join("tests/corpus").join(folder)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let copied = fs::copy(from, to);
    copied.with_context(|| format!("can't copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

/// `libc.so.6 => /lib/libc.so.6 (0x0)` and `/lib64/ld-linux.so.2 (0x0)`.
fn libraries(said: &str) -> BTreeSet<PathBuf> {
    let path = |line: &str| {
        let mut words = line.split_whitespace();
        words.find(|word| word.starts_with('/')).map(PathBuf::from)
    };
    said.lines().filter_map(path).collect()
}

const GUEST: &str = include_str!("guest.sh");

/// The order matters: a folder comes before what is in it.
const PACK: &str = "find . | cpio --quiet --create --format=newc --owner=0:0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_where_the_loader_found_them() {
        let said = "\tlinux-vdso.so.1 (0x00007ffc)\n\
                    \tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        let found: Vec<PathBuf> = libraries(said).into_iter().collect();
        let expected = ["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"];
        assert_eq!(found, expected.map(PathBuf::from));
    }

    #[test]
    fn a_static_program_has_no_libraries() {
        assert!(libraries("\tnot a dynamic executable\n").is_empty());
    }
}
