//! What a log's thread tells the engine.

use crate::access_log::{LineError, Request, Zone};
use crate::config::Log;
use tokio::sync::mpsc;

/// What was read of a log.
#[derive(Debug, Default)]
pub struct Batch {
    /// Its place in the configuration.
    pub log: usize,
    /// How its source fares.
    pub state: State,
    /// Lines that were read.
    pub lines: u64,
    /// Those that are no requests.
    pub malformed: u64,
    /// What is wrong with the last of these.
    pub last_error: Option<LineError>,
    /// Lines that came before, for which the engine had no time.
    pub lost: u64,
    /// The requests.
    pub requests: Vec<Request>,
}

/// How a log's source fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// There is no file yet.
    #[default]
    Waiting,
    /// It is read.
    Reading,
    /// It can't be, and is tried again.
    Failed(String),
}

/// Lines on their way to the engine.
#[derive(Debug)]
pub(super) struct Batches {
    log: Log,
    zone: Zone,
    sender: mpsc::Sender<Batch>,
    batch: Batch,
    told: Option<State>,
}

impl Batches {
    /// Of the log of that number, to whoever has the other end.
    pub(super) fn new(number: usize, log: Log, sender: mpsc::Sender<Batch>) -> Self {
        let batch = Batch { log: number, ..Batch::default() };
        Self { log, zone: Zone::default(), sender, batch, told: None }
    }

    /// Takes a line in.
    pub(super) fn take(&mut self, line: Result<&[u8], LineError>, now_unix_ms: u64) {
        self.batch.lines += 1;
        let format = self.log.format;
        match line.and_then(|line| format.parse_in(&mut self.zone, line, now_unix_ms)) {
            Ok(mut request) => {
                request.over_quic &= self.log.http3;
                self.batch.requests.push(request);
            }
            Err(error) => {
                self.batch.malformed += 1;
                self.batch.last_error = Some(error);
            }
        }
    }

    /// Lines that weren't sent yet.
    pub(super) const fn lines(&self) -> u64 {
        self.batch.lines
    }

    /// Sends what there is, and waits for as long as the engine has no time. `false`: nobody
    /// listens any more.
    pub(super) fn send(&mut self, state: State) -> bool {
        match self.next(state) {
            Some(batch) => self.sender.blocking_send(batch).is_ok(),
            None => !self.sender.is_closed(),
        }
    }

    /// Sends what there is, or counts it as lost when the engine has no time. `false`: nobody
    /// listens any more.
    pub(super) fn try_send(&mut self, state: State) -> bool {
        let Some(batch) = self.next(state) else {
            return !self.sender.is_closed();
        };
        match self.sender.try_send(batch) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(batch)) => {
                self.batch.lost = batch.lost + batch.lines;
                self.told = None;
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }

    /// A batch to send, if there is anything to tell.
    fn next(&mut self, state: State) -> Option<Batch> {
        if self.batch.lines == 0 && self.batch.lost == 0 && self.told.as_ref() == Some(&state) {
            return None;
        }
        self.told = Some(state.clone());
        let empty = Batch { log: self.batch.log, ..Batch::default() };
        Some(Batch { state, ..std::mem::replace(&mut self.batch, empty) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::tests::combined;

    #[test]
    fn lines_that_nobody_has_time_for_are_counted() {
        let (sender, mut receiver) = mpsc::channel(1);
        let mut batches = Batches::new(3, combined("/a"), sender);
        for _ in 0..3 {
            batches.take(Ok(b"junk"), 0);
            assert!(batches.try_send(State::Reading));
        }
        let first = receiver.blocking_recv().unwrap();
        assert_eq!((first.log, first.lines, first.malformed, first.lost), (3, 1, 1, 0));
        assert!(batches.try_send(State::Reading));
        let next = receiver.blocking_recv().unwrap();
        assert_eq!((next.lines, next.lost), (0, 2));
        assert!(batches.try_send(State::Reading));
        assert!(receiver.try_recv().is_err(), "nothing new is nothing to tell");
        drop(receiver);
        assert!(!batches.try_send(State::Reading) && !batches.send(State::Waiting));
    }

    #[test]
    fn where_the_server_has_no_http_3_nobody_speaks_it() {
        const LINE: &[u8] =
            b"192.0.2.7 - - [22/Nov/2026:20:50:19 +0000] \"GET / HTTP/3.0\" 200 1 \"-\" \"-\"";
        for http3 in [true, false] {
            let (sender, mut receiver) = mpsc::channel(1);
            let mut batches = Batches::new(0, Log { http3, ..combined("/a") }, sender);
            batches.take(Ok(LINE), 0);
            assert!(batches.send(State::Reading));
            assert_eq!(receiver.blocking_recv().unwrap().requests[0].over_quic, http3);
        }
    }
}
