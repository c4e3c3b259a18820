//! A file that comes to be at once.

use crate::cli::output;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A file that is replaced whole or not at all.
#[derive(Debug)]
pub(super) struct Target {
    written: PathBuf,
    /// What it becomes; a pipe or a device is written as it is.
    file: Option<PathBuf>,
}

impl Target {
    /// A file that isn't touched yet.
    pub(super) fn new(file: &Path) -> io::Result<Self> {
        match fs::metadata(file) {
            Ok(kind) if kind.is_file() => Ok(Self::beside(&file.canonicalize()?)),
            Ok(_) => Ok(Self { written: file.into(), file: None }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::beside(file)),
            Err(error) => Err(error),
        }
    }

    fn beside(file: &Path) -> Self {
        let mut name = OsString::from(".");
        name.push(file.file_name().unwrap_or_default());
        name.push(format!(".{}.part", std::process::id()));
        Self { written: file.with_file_name(name), file: Some(file.into()) }
    }

    /// Where to write.
    ///
    /// Nobody else's file is written through a link of the name that is made up here.
    pub(super) fn open(&self) -> io::Result<File> {
        File::options().write(true).create_new(self.file.is_some()).open(&self.written)
    }

    /// Puts what was written in the file's place.
    pub(super) fn keep(self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let kept = fs::rename(&self.written, file);
        if kept.is_err() {
            self.abandon();
        }
        kept
    }

    /// Leaves the file as it was.
    pub(super) fn abandon(self) {
        if self.file.is_some()
            && let Err(error) = fs::remove_file(&self.written)
            && error.kind() != io::ErrorKind::NotFound
        {
            output::problem(&format!("{} stays behind: {error}", self.written.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("list");
        for (text, keep, expected) in [("a", true, "a"), ("b", false, "a"), ("c", true, "c")] {
            let target = Target::new(&file).unwrap();
            target.open().unwrap().write_all(text.as_bytes()).unwrap();
            if keep {
                target.keep().unwrap();
            } else {
                target.abandon();
            }
            assert_eq!(fs::read_to_string(&file).unwrap(), expected);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_link_stays_and_a_device_is_written_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("list"), dir.path().join("link"));
        fs::write(&file, "a").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let target = Target::new(&link).unwrap();
        target.open().unwrap().write_all(b"b").unwrap();
        target.keep().unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "b");
        assert!(link.is_symlink());
        let target = Target::new(Path::new("/dev/null")).unwrap();
        assert_eq!((target.written.as_path(), &target.file), (Path::new("/dev/null"), &None));
    }
}
