//! Lines as datagrams on a Unix socket.

use super::batch::{Batches, State};
use crate::access_log::MAX_LINE;
use crate::clock::Now;
use nix::unistd::{Gid, Group};
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Lines that are handed over at once.
const MOST: u64 = 512;

/// How often it is asked whether anybody still listens.
const WAIT: Duration = Duration::from_millis(250);

/// A socket that the daemon has made, and takes away if it is still there.
#[derive(Debug)]
pub(super) struct Made {
    socket: UnixDatagram,
    path: PathBuf,
    /// Device and number.
    id: (u64, u64),
}

impl Drop for Made {
    fn drop(&mut self) {
        if id(&self.path).is_ok_and(|id| id == self.id)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "a log's socket stays there");
        }
    }
}

/// Makes the socket, for root and the members of a group: whoever can send may make up requests.
/// A socket that an earlier daemon left is taken away.
///
/// *Errors*: there is something else under the name, somebody listens on it, no such group, or
/// no such folder. No socket is left there then.
pub(super) fn open(path: &Path, group: Option<&str>) -> io::Result<Made> {
    let group = group.map(group_id).transpose()?;
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => take_away(path)?,
        Ok(_) => return Err(io::Error::new(ErrorKind::AlreadyExists, "it isn't a socket")),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let socket = UnixDatagram::bind(path)?;
    let ours = Made { socket, path: path.into(), id: id(path)? };
    if let Some(group) = group {
        chown(path, None, Some(group.as_raw()))?;
    }
    let mode = if group.is_some() { 0o660 } else { 0o600 };
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    ours.socket.set_read_timeout(Some(WAIT))?;
    Ok(ours)
}

fn group_id(name: &str) -> io::Result<Gid> {
    let unknown = || io::Error::new(ErrorKind::NotFound, format!("there is no group {name}"));
    Ok(Group::from_name(name)?.ok_or_else(unknown)?.gid)
}

fn id(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// Takes a socket away that nobody listens on: another one may be the host's own.
fn take_away(path: &Path) -> io::Result<()> {
    match UnixDatagram::unbound()?.connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        _ => Err(io::Error::new(ErrorKind::AddrInUse, "another program listens on it")),
    }
}

/// Reads until nobody listens any more. A sender never waits for the engine, as the server's
/// answers would wait with it: what the engine has no time for is lost, and counted.
///
/// *Errors*: the socket's.
pub(super) fn read(made: &Made, batches: &mut Batches) -> io::Result<()> {
    let socket = &made.socket;
    // One byte more than a line may have shows those that have more.
    let mut datagram = vec![0; MAX_LINE + 1];
    while batches.try_send(State::Reading) {
        socket.set_nonblocking(false)?;
        let mut more = receive(socket, &mut datagram, batches)?;
        socket.set_nonblocking(true)?;
        while more && batches.lines() < MOST {
            more = receive(socket, &mut datagram, batches)?;
        }
    }
    Ok(())
}

/// Takes a datagram; `false` if there is none.
fn receive(socket: &UnixDatagram, datagram: &mut [u8], batches: &mut Batches) -> io::Result<bool> {
    let len = match socket.recv(datagram) {
        Ok(len) => len,
        Err(error) => {
            let none = [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::Interrupted];
            return if none.contains(&error.kind()) { Ok(false) } else { Err(error) };
        }
    };
    let line = datagram.get(..len).unwrap_or_default();
    let end = line.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r' | 0));
    if let Some(end) = end {
        batches.take(Ok(line.get(..=end).unwrap_or_default()), Now::read().unix_ms);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::tests::combined;
    use std::thread;
    use tempfile::TempDir;
    use tokio::sync::mpsc;

    const LINE: &str = "<190>Nov 22 20:50:19 nginx: 192.0.2.7 - - [22/Nov/2026:20:50:19 +0000] \
                        \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"";

    #[test]
    fn datagrams_are_lines() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("sock");
        drop(UnixDatagram::bind(&path).unwrap());
        let socket = open(&path, None).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let sender = UnixDatagram::unbound().unwrap();
        for line in [LINE.to_owned(), format!("{LINE}\n\0"), format!("{LINE}\n{LINE}"), "\n".into()]
        {
            sender.send_to(line.as_bytes(), &path).unwrap();
        }
        let (batches, mut receiver) = mpsc::channel(1000);
        let mut batches = Batches::new(0, combined(&path), batches);
        let reader = thread::spawn(move || read(&socket, &mut batches));
        let (mut lines, mut malformed, mut requests) = (0, 0, 0);
        while lines < 3 {
            let batch = receiver.blocking_recv().unwrap();
            lines += batch.lines;
            malformed += batch.malformed;
            requests += batch.requests.len();
        }
        assert_eq!((lines, malformed, requests), (3, 1, 2));
        drop(receiver);
        reader.join().unwrap().unwrap();
    }

    #[test]
    fn what_is_in_the_way_stays_there() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("sock");
        fs::write(&path, "precious").unwrap();
        assert!(open(&path, None).is_err() && path.is_file());
        let other = dir.path().join("other");
        let error = open(&other, Some("no such group")).unwrap_err().to_string();
        assert!(error.contains("no group") && !other.exists(), "{error}");
    }
}
