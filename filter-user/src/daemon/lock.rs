//! One daemon for each run folder.

use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Held as long as the daemon lives; the kernel lets go of it when the daemon dies.
#[derive(Debug)]
pub struct RunLock {
    _file: Flock<File>,
}

/// The lock can't be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another daemon has it.
    #[error("another palisaded runs already (pid {pid}, {}); `palisade status` asks it", path.display())]
    Held {
        /// The lock's file.
        path: PathBuf,
        /// Who.
        pid: String,
    },
    /// The run folder can't be used.
    #[error("{}", path.display())]
    Io {
        /// The lock's file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

const FILE: &str = "palisaded.lock";

impl RunLock {
    /// Takes the lock of a run folder, which is made if it isn't there.
    ///
    /// *Errors*: [`LockError`].
    pub fn take(run_dir: &Path) -> Result<Self, LockError> {
        let path = run_dir.join(FILE);
        let file =
            open(run_dir, &path).map_err(|source| LockError::Io { path: path.clone(), source })?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut file) => {
                // For whoever comes second; the lock holds without it.
                let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                Ok(Self { _file: file })
            }
            Err((mut file, nix::Error::EWOULDBLOCK)) => {
                let mut pid = String::new();
                let _ = file.read_to_string(&mut pid);
                Err(LockError::Held { path, pid })
            }
            Err((_, error)) => Err(LockError::Io { path, source: error.into() }),
        }
    }
}

fn open(run_dir: &Path, path: &Path) -> io::Result<File> {
    fs::create_dir_all(run_dir)?;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_daemon_is_told_who_was_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = RunLock::take(dir.path()).unwrap();
        let error = RunLock::take(dir.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("pid {}", std::process::id())), "{error}");
        drop(first);
        RunLock::take(dir.path()).unwrap();
    }
}
