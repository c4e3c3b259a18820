//! Room to look at a segment, and where its payload lies in the window.

use super::rules::Search;
use super::sum::SUM_LEN;
use super::tls_record::{Cursor, Progress};
use crate::abi::hello::{Cause, HELLO_WINDOW, HelloHead, HelloRecord, SEGMENT_CAPACITY};
use crate::ja4::Work;
use crate::wire::frame::Frame;

/// Words of a segment, and some room behind them.
const SEGMENT_WORDS: usize = (SEGMENT_CAPACITY + SUM_LEN) as usize / 8 + 1;

/// Room to look at a segment, and to fingerprint a hello.
///
/// *Shape*: about 30 KiB, an element of a map of each CPU.
#[repr(C)]
#[derive(Clone)]
pub struct Stage {
    /// The segment from its TCP header on.
    pub segment: [u64; SEGMENT_WORDS],
    /// Room for the headers that a listening socket is asked about: IP's, and TCP's behind it.
    pub headers: [u32; 16],
    /// How many bytes of it are there.
    pub segment_len: u32,
    /// Where its payload lies.
    pub(super) piece: Piece,
    /// Bytes of the piece that weren't there yet.
    pub(super) fresh: u32,
    /// Whether one of them contradicts one that was.
    pub(super) conflicts: u32,
    /// How many of them have been copied.
    pub(super) done: u32,
    /// The set that is worked on.
    pub(super) index: u32,
    /// Where its stream starts, and whether that is known.
    pub(super) start: u32,
    pub(super) is_known: u32,
    /// What [`Taken`](super::assemble::Taken) says.
    pub(super) look_at: u32,
    pub(super) is_open: u32,
    pub(super) is_other: u32,
    /// Whether the daemon isn't told of the cause.
    pub(super) is_quiet: u32,
    /// Why there is no fingerprint.
    pub(super) cause: Cause,
    pub(super) progress: Progress,
    reserved: u16,
    pub(super) sum: u64,
    /// The best rank of the ways so far.
    pub(super) rank: u64,
    /// Where what is next lies, in loops.
    pub(super) at: Cursor,
    /// The best of them.
    pub(super) best: u32,
    /// The way of the segment's hello; none if there is no such way.
    pub(super) way: u32,
    /// A hello for which there is no place.
    pub(super) newcomer: HelloHead,
    pub(super) search: Search,
    pub(super) record: HelloRecord,
    pub(super) work: Work,
}

impl Default for Stage {
    #[expect(clippy::large_stack_arrays, reason = "hosts keep it in a box")]
    fn default() -> Self {
        Self {
            segment: [0; SEGMENT_WORDS],
            headers: [0; 16],
            segment_len: 0,
            piece: Piece::default(),
            fresh: 0,
            conflicts: 0,
            done: 0,
            index: 0,
            start: 0,
            is_known: 0,
            look_at: 0,
            is_open: 0,
            is_other: 0,
            is_quiet: 0,
            cause: Cause::NONE,
            progress: Progress::NEED,
            reserved: 0,
            sum: 0,
            rank: 0,
            at: Cursor::default(),
            best: 0,
            way: 0,
            newcomer: HelloHead::default(),
            search: Search::default(),
            record: HelloRecord::default(),
            work: Work::default(),
        }
    }
}

impl Stage {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a byte of the word")]
    pub(super) fn byte(&self, at: u32) -> u8 {
        let word = self.segment.get(at as usize / 8).copied().unwrap_or_default();
        (word >> (8 * (at & 7))) as u8
    }
}

/// Where a segment's payload lies in the window.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    /// Position of its first byte.
    pub(super) at: u32,
    /// How many bytes.
    pub(super) len: u32,
    /// Where they start in the segment.
    pub(super) from: u32,
}

impl Piece {
    /// Sequence numbers wrap, so a position is a distance from the start. What lies in front
    /// of it or behind the window is cut off; a length of zero: nothing is left.
    #[inline(always)]
    pub(super) fn of(frame: &Frame, start: u32) -> Self {
        let tcp = &frame.tcp;
        let first = tcp.first();
        let ahead = first.wrapping_sub(start);
        let (at, skipped) =
            if ahead < HELLO_WINDOW { (ahead, 0) } else { (0, start.wrapping_sub(first)) };
        let payload = tcp.payload_len();
        if skipped >= payload {
            return Self::default();
        }
        let (len, room) = (payload - skipped, HELLO_WINDOW - at);
        let len = if len < room { len } else { room };
        Self { at, len, from: u32::from(tcp.header_len) + skipped }
    }

    pub(super) const fn end(self) -> u32 {
        self.at + self.len
    }
}
