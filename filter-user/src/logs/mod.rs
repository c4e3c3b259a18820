//! Access logs of this host: files that are followed, and sockets that are read.
//!
//! Each log has a thread of its own that waits, reads and parses: a slow disk, a huge file or a
//! log that is all malformed keeps nobody else waiting, and the engine gets requests.
//! Files are polled instead of watched: a read that finds nothing costs a microsecond, works on
//! every file system, and sees a rotation, a truncation and a file that isn't there yet in the
//! same way, where notifications would need a watch of each folder and polling beside it.

mod batch;
mod incoming;
mod socket;
mod tail;
mod whole;

pub use batch::{Batch, State};
pub use incoming::Incoming;
pub use whole::{LogError, WholeLog};

use crate::clock::Now;
use crate::config::{Log, LogSource};
use batch::Batches;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use tail::{PIECE, Tail};

/// Batches of a log that wait for the engine. When there are more, a file is read later, and what
/// comes by a socket is lost and counted.
const QUEUE: usize = 16;

/// How long a file that was busy lately is left alone when it has nothing new.
const BUSY: Duration = Duration::from_millis(5);

/// How long any other is.
const IDLE: Duration = Duration::from_millis(100);

/// How long a file counts as busy.
const BUSY_FOR_MS: u64 = 5000;

/// How long a file or a socket that fails is left alone.
const AGAIN: Duration = Duration::from_secs(5);

/// Starts to read all logs; their place in the list is what batches name them by.
///
/// *Concurrency*: the threads end when what is given back is dropped.
///
/// *Errors*: a thread can't be started.
pub fn start(logs: &[Log]) -> io::Result<Incoming> {
    let mut incoming = Incoming::default();
    for (number, log) in logs.iter().enumerate() {
        let batches = Batches::new(number, log.clone(), incoming.open(QUEUE));
        let thread = thread::Builder::new().name(format!("log {number}"));
        match log.source.clone() {
            LogSource::File(path) => drop(thread.spawn(move || follow(path, batches))?),
            LogSource::Socket { path, group } => {
                let thread = thread.spawn(move || listen(&path, group.as_deref(), batches))?;
                incoming.wait_for(thread);
            }
        }
    }
    Ok(incoming)
}

/// Follows a file as long as anybody wants to know.
fn follow(path: PathBuf, mut batches: Batches) {
    let (mut tail, mut piece) = (Tail::new(path), vec![0; PIECE]);
    let mut busy_unix_ms = 0;
    loop {
        let now = Now::read();
        let found = tail.poll(&mut piece, now.unix_ms, &mut |line| batches.take(line, now.unix_ms));
        let state = match &found {
            Ok(_) => tail.state(),
            Err(error) => State::Failed(error.to_string()),
        };
        if !batches.send(state) {
            return;
        }
        let busy = now.unix_ms.saturating_sub(busy_unix_ms) < BUSY_FOR_MS;
        match found {
            Ok(true) => busy_unix_ms = now.unix_ms,
            Ok(false) => thread::sleep(if busy { BUSY } else { IDLE }),
            Err(_) => thread::sleep(AGAIN),
        }
    }
}

/// Reads a socket as long as anybody wants to know.
fn listen(path: &Path, group: Option<&str>, mut batches: Batches) {
    loop {
        let ended = socket::open(path, group);
        let ended = ended.and_then(|socket| socket::read(&socket, &mut batches));
        match ended {
            Ok(()) => return,
            Err(error) => {
                if !batches.send(State::Failed(error.to_string())) {
                    return;
                }
                // It is woken when nobody wants to know any more.
                thread::park_timeout(AGAIN);
            }
        }
    }
}

#[cfg(test)]
mod tests;
