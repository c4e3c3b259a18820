//! All streams whose hellos are being put together.

use super::outcome::{Cause, Hello, Outcome};
use super::segment::{Flow, Segment};
use super::stream::{Placed, Step, Stream};
use filter_common::abi::counter::Verdict;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Hellos that may be unfinished at a time. A new one takes the place of the oldest,
/// which is told as [`Cause::TableFull`].
pub const MAX_PENDING: usize = 4096;

/// Finished hellos that are kept to recognise retransmissions and conflicts. The one
/// that finished first makes room; a conflict that comes later is missed.
pub const MAX_LINGERING: usize = 4096;

/// Bytes of payload that are held. When there are more, finished hellos are forgotten
/// first, then the oldest unfinished ones are told as [`Cause::TableFull`].
pub const MAX_HELD_BYTES: usize = 32 << 20;

/// Nanoseconds from a hello's first segment after which it is given up.
pub const TIMEOUT_NS: u64 = 10_000_000_000;

/// Nanoseconds that a finished hello is kept, long enough for TCP's retransmissions.
pub const LINGER_NS: u64 = 60_000_000_000;

/// A stream's name: its flow and the sequence number at which it starts.
type Key = (Flow, u32);

/// Puts each ClientHello together from segments in any order.
///
/// *Shape*: [`handle_segment`](Self::handle_segment) and [`expire`](Self::expire) take
/// segments and time, [`poll_outcome`](Self::poll_outcome) gives what came of them.
#[derive(Debug, Default)]
pub struct Assembler {
    streams: HashMap<Key, Entered>,
    /// Unfinished streams by age.
    pending: Queue,
    /// Finished ones by age.
    lingering: Queue,
    held_bytes: usize,
    outcomes: VecDeque<Outcome>,
}

#[derive(Debug)]
struct Entered {
    /// Its place in the queue that it stands in.
    place: u64,
    stream: Stream,
}

/// Streams in the order in which they came, from any place of which they may leave.
#[derive(Debug, Default)]
struct Queue {
    next: u64,
    waiting: BTreeMap<u64, (u64, Key)>,
}

impl Queue {
    fn push(&mut self, time_ns: u64, key: Key) -> u64 {
        self.next += 1;
        self.waiting.insert(self.next, (time_ns, key));
        self.next
    }

    fn pop(&mut self) -> Option<Key> {
        self.waiting.pop_first().map(|(_, (_, key))| key)
    }

    /// The oldest, if it has been there for that long.
    fn pop_older(&mut self, now_ns: u64, age_ns: u64) -> Option<Key> {
        let (_, (time_ns, _)) = self.waiting.first_key_value()?;
        if now_ns.saturating_sub(*time_ns) < age_ns {
            return None;
        }
        self.pop()
    }
}

impl Assembler {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a segment. Segments of one stream may come in any order and repeatedly. If it says
    /// that the stream holds no hello: how many bytes of it say so.
    pub fn handle_segment(&mut self, segment: &Segment) -> Option<u32> {
        let placed = Placed::of(segment)?;
        let key = (segment.flow, segment.stream_start);
        let entered = match self.streams.entry(key) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(empty) => {
                let place = self.pending.push(segment.time_ns, key);
                empty.insert(Entered { place, stream: Stream::default() })
            }
        };
        let was_open = entered.stream.is_open();
        let held_before = entered.stream.held_bytes;
        let step = entered.stream.handle(segment, placed);
        self.held_bytes = self.held_bytes - held_before + entered.stream.held_bytes;
        if was_open && !entered.stream.is_open() {
            self.pending.waiting.remove(&entered.place);
            entered.place = self.lingering.push(segment.time_ns, key);
        }
        let mut none = None;
        match step {
            Step::Wait => {}
            Step::NoHello => none = u32::try_from(entered.stream.prefix_len()).ok(),
            Step::Told(result) => {
                let told = outcome(key, &entered.stream, result);
                self.outcomes.push_back(told);
            }
        }
        self.make_room();
        none
    }

    /// The next thing to tell.
    pub fn poll_outcome(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }

    /// Gives up what is too old at the given time and forgets what has lingered enough.
    pub fn expire(&mut self, now_ns: u64) {
        while let Some(key) = self.pending.pop_older(now_ns, TIMEOUT_NS) {
            self.give_up(key, now_ns, None);
        }
        while let Some(key) = self.lingering.pop_older(now_ns, LINGER_NS) {
            self.forget(key);
        }
    }

    /// Gives up whatever is unfinished: nothing more will come.
    pub fn finish(&mut self) {
        while let Some(key) = self.pending.pop() {
            self.give_up(key, 0, None);
        }
    }

    fn make_room(&mut self) {
        while self.lingering.waiting.len() > MAX_LINGERING || self.held_bytes > MAX_HELD_BYTES {
            let Some(key) = self.lingering.pop() else {
                break;
            };
            self.forget(key);
        }
        while self.pending.waiting.len() > MAX_PENDING || self.held_bytes > MAX_HELD_BYTES {
            let Some(key) = self.pending.pop() else { break };
            self.give_up(key, 0, Some(Cause::TableFull));
        }
    }

    /// Ends an unfinished stream that has left its queue.
    fn give_up(&mut self, key: Key, now_ns: u64, cause: Option<Cause>) {
        let Some(entered) = self.streams.get_mut(&key) else {
            return;
        };
        let cause = cause.unwrap_or_else(|| entered.stream.unfinished());
        self.outcomes.push_back(outcome(key, &entered.stream, Err(cause)));
        self.held_bytes -= entered.stream.held_bytes;
        entered.stream.close();
        entered.place = self.lingering.push(now_ns.max(entered.stream.last_ns), key);
    }

    /// Drops a finished stream that has left its queue.
    fn forget(&mut self, key: Key) {
        if let Some(entered) = self.streams.remove(&key) {
            self.held_bytes -= entered.stream.held_bytes;
        }
    }
}

fn outcome((flow, stream_start): Key, stream: &Stream, result: Result<Hello, Cause>) -> Outcome {
    let (segments, time_ns) = (stream.segments, stream.last_ns);
    Outcome {
        flow,
        stream_start,
        segments,
        proven: false,
        time_ns,
        wire: 0,
        syn: None,
        is_first: false,
        verdict: Verdict::PASS,
        result,
    }
}
