//! The engine's end of all logs.

use super::Batch;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use tokio::sync::mpsc;

/// What is read of all logs. Each has a queue of its own, and they take turns: a file that has
/// much to catch up on makes no socket lose lines.
///
/// *Concurrency*: owned by one task. Dropped, it waits for the threads that read sockets to take
/// these away, which takes them a quarter of a second at most.
#[derive(Debug, Default)]
pub struct Incoming {
    queues: Vec<mpsc::Receiver<Batch>>,
    /// Whose turn it is.
    next: usize,
    sockets: Vec<JoinHandle<()>>,
}

impl Incoming {
    /// A queue for another log.
    pub(super) fn open(&mut self, most: usize) -> mpsc::Sender<Batch> {
        let (sender, receiver) = mpsc::channel(most);
        self.queues.push(receiver);
        sender
    }

    /// A thread that has a socket to take away.
    pub(super) fn wait_for(&mut self, thread: JoinHandle<()>) {
        self.sockets.push(thread);
    }

    /// The next batch; `None` if no thread reads any more.
    pub async fn recv(&mut self) -> Option<Batch> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Batch>> {
        let mut polled = Poll::Ready(None);
        for _ in 0..self.queues.len() {
            let turn = self.next;
            self.next = (turn + 1).checked_rem(self.queues.len()).unwrap_or(0);
            match self.queues.get_mut(turn).map(|queue| queue.poll_recv(context)) {
                Some(Poll::Ready(Some(batch))) => return Poll::Ready(Some(batch)),
                Some(Poll::Pending) => polled = Poll::Pending,
                Some(Poll::Ready(None)) | None => {}
            }
        }
        polled
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.queues.clear();
        for thread in self.sockets.drain(..) {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a thread that reads a log has panicked");
            }
        }
    }
}
