//! One stream: the bytes of a flow from where its hello starts.

use super::outcome::{Cause, Hello};
use super::piece::Pieces;
use super::segment::Segment;
use super::tls_record::{self, Progress};
use bytes::Bytes;
use filter_common::abi::hello::HELLO_WINDOW;
use filter_common::wire::checksum::Checksum;
use std::ops::Range;

/// TCP segments with new bytes that a hello may take.
///
/// If these and one more are not enough, it is [`Cause::TooManySegments`]. Ordinary clients use
/// one or two.
pub const MAX_SEGMENTS: u32 = 64;

/// Segments whose bytes don't count that are remembered of a stream. Of more, the first
/// tell the cause.
const MAX_SPOILED: usize = 64;

/// A stream, from its first segment until nobody asks for it any more.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pieces: Pieces,
    /// Where bytes were that don't count.
    spoiled: Vec<(Range<usize>, Cause)>,
    /// Bytes that have to be there before it is worth looking again.
    needed: usize,
    state: State,
    /// Segments that brought something new.
    pub(super) segments: u32,
    /// When the last segment came.
    pub(super) last_ns: u64,
    /// What it counts for in [`MAX_HELD_BYTES`](super::MAX_HELD_BYTES).
    pub(super) held_bytes: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// The hello isn't all there.
    #[default]
    Open,
    /// It is, or it turned out that there is none, and what was looked at ends at this
    /// position. Kept to recognise conflicts: the other version of the bytes may be the
    /// one that the server sees.
    Read(usize),
    /// It has no fingerprint and won't get one. Kept to swallow what still comes.
    Closed,
}

/// What a segment brought about.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing to tell.
    Wait,
    /// The stream holds no hello.
    NoHello,
    /// A hello, or the end of one.
    Told(Result<Hello, Cause>),
}

/// Where a segment's payload lies in the window, if it does.
pub(super) struct Placed {
    start: usize,
    bytes: Bytes,
    /// Positions of what the capture cut off.
    cut: Range<usize>,
}

impl Placed {
    /// Sequence numbers wrap, so a position is a distance from the start. What lies in
    /// front of it or behind the window is cut off.
    pub(super) fn of(segment: &Segment) -> Option<Self> {
        let window = usize::try_from(HELLO_WINDOW).ok()?;
        let from = segment.first.wrapping_sub(segment.stream_start);
        let before = segment.stream_start.wrapping_sub(segment.first);
        let len = usize::try_from(segment.payload_len).ok()?;
        let (start, skipped) = if from < HELLO_WINDOW {
            (usize::try_from(from).ok()?, 0)
        } else {
            (0, usize::try_from(before).ok()?)
        };
        let end = window.min(start + len.checked_sub(skipped)?);
        let present = segment.payload.get(skipped..).unwrap_or_default();
        let bytes = segment.payload.slice_ref(present.get(..end - start).unwrap_or(present));
        let cut = start + bytes.len()..end;
        (start < end).then_some(Self { start, bytes, cut })
    }
}

impl Stream {
    /// Whether its hello isn't all there yet.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// How many bytes are there from the start to the first hole.
    pub(super) fn prefix_len(&self) -> usize {
        self.pieces.prefix_len()
    }

    /// Takes a segment.
    pub(super) fn handle(&mut self, segment: &Segment, placed: Placed) -> Step {
        let step = match self.state {
            State::Open => self.extend(segment, placed),
            State::Read(end) if segment.checksum != Checksum::Bad => self.compare(end, &placed),
            State::Read(_) | State::Closed => Step::Wait,
        };
        match &step {
            Step::Wait => {}
            Step::Told(Err(_)) => self.close(),
            Step::NoHello | Step::Told(Ok(_)) => self.spoiled = Vec::new(),
        }
        step
    }

    fn extend(&mut self, segment: &Segment, placed: Placed) -> Step {
        self.last_ns = self.last_ns.max(segment.time_ns);
        let end = placed.cut.end;
        if segment.checksum == Checksum::Bad {
            self.spoil(placed.start..end, Cause::BadChecksum);
            return Step::Wait;
        }
        if segment.is_urgent {
            return Step::Told(Err(Cause::Urgent));
        }
        self.spoil(placed.cut, Cause::Truncated);
        match self.pieces.insert(placed.start, &placed.bytes, self.segments) {
            Err(_) => return Step::Told(Err(Cause::Conflict)),
            Ok(false) => return Step::Wait,
            Ok(true) => {}
        }
        self.segments += 1;
        self.held_bytes += segment.payload.len();
        if self.pieces.prefix_len() >= self.needed.max(1) {
            self.read()
        } else {
            self.within_bounds()
        }
    }

    fn spoil(&mut self, range: Range<usize>, cause: Cause) {
        if !range.is_empty() && self.spoiled.len() < MAX_SPOILED {
            self.spoiled.push((range, cause));
        }
    }

    fn read(&mut self) -> Step {
        match tls_record::read(&self.pieces.prefix()) {
            Progress::Other => {
                self.state = State::Read(self.pieces.prefix_len());
                Step::NoHello
            }
            Progress::Failed(cause) => Step::Told(Err(cause)),
            Progress::Whole(message, end) => self.finish(message, end),
            Progress::Need(len) => {
                self.needed = len;
                self.within_bounds()
            }
        }
    }

    fn within_bounds(&self) -> Step {
        if self.segments > MAX_SEGMENTS {
            return Step::Told(Err(Cause::TooManySegments));
        }
        Step::Wait
    }

    fn finish(&mut self, message: Bytes, end: usize) -> Step {
        self.pieces.truncate(end);
        self.segments = self.pieces.segments();
        self.state = State::Read(end);
        Step::Told(Hello::of(message))
    }

    /// Holds a late segment against the hello.
    fn compare(&self, end: usize, placed: &Placed) -> Step {
        let len = end.saturating_sub(placed.start).min(placed.bytes.len());
        match self.pieces.holes(placed.start, &placed.bytes.slice(..len)) {
            Ok(_) => Step::Wait,
            Err(_) => Step::Told(Err(Cause::Conflict)),
        }
    }

    /// Gives up; what is left swallows further segments.
    pub(super) fn close(&mut self) {
        self.state = State::Closed;
        self.pieces.clear();
        self.spoiled = Vec::new();
        self.held_bytes = 0;
    }

    /// Why it isn't whole, judged by the first byte that is missing.
    pub(super) fn unfinished(&self) -> Cause {
        let missing = self.pieces.prefix_len();
        let spoiled = self.spoiled.iter().find(|(range, _)| range.contains(&missing));
        match spoiled {
            Some((_, cause)) => *cause,
            None if self.pieces.goes_on() => Cause::Gap,
            None => Cause::TimedOut,
        }
    }
}
