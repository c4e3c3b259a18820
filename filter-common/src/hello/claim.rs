//! A place for a flow's hello.

use super::Hellos;
use super::stage::{Piece, Stage};
use super::tell::tell;
use crate::abi::counter::Verdict;
use crate::abi::hello::{
    Cause, HELLO_GRACE_NS, HELLO_TIMEOUT_NS, HELLO_WAYS, HELLO_WINDOW, HelloBody, HelloHead,
    HelloSet,
};
use crate::ja4::Step;
use crate::wire::frame::Frame;
use core::hint::black_box;

/// Finds the place of a flow's hello, or takes one for it. The way is left on the stage; `false`:
/// there is none, or nothing of the segment belongs there.
///
/// Its own comes first: the one that starts where the segment's does, or of which the server
/// waits for the rest. Then comes an empty one, then the oldest that is finished, then one that
/// has been unfinished for longer than [`HELLO_GRACE_NS`].
#[inline(always)]
pub(super) fn claim<H: Hellos>(
    hellos: &H,
    frame: &mut Frame,
    stage: &mut Stage,
    set: &mut HelloSet,
) -> bool {
    let now_ns = hellos.coarse_ns();
    (stage.rank, stage.best) = (0, 0);
    hellos.repeat(HELLO_WAYS, &mut Rank { set, stage, frame, now_ns });
    let (way, rank) = (stage.best & (HELLO_WAYS - 1), stage.rank);
    let head = &mut set.ways[way as usize];
    if rank == OWN {
        if head.start != stage.start {
            stage.piece = Piece::of(frame, head.start);
            if stage.piece.len == 0 && !frame.tcp.flags.is_urgent() {
                return false;
            }
        }
        if head.state == HelloHead::OPEN && now_ns.wrapping_sub(head.since_ns) > HELLO_TIMEOUT_NS {
            // The daemon tells it, once.
            (stage.cause, stage.is_quiet) = (head.unfinished(), 1);
            head.state = HelloHead::CLOSED;
        }
        stage.way = way;
        return true;
    }
    if stage.is_known == 0 {
        return false;
    }
    let is_next = rank == EARLIER && head.server != 0 && head.server == server_of(frame);
    let earlier = if is_next { head.earlier + 1 } else { 0 };
    if earlier > MAX_EARLIER {
        return false;
    }
    if rank == 0 {
        (stage.cause, stage.is_quiet) = (Cause::TABLE_FULL, u32::from(stage.piece.at != 0));
        stage.newcomer.begin(frame, stage.start, now_ns);
        return false;
    }
    if head.state == HelloHead::OPEN && now_ns.wrapping_sub(head.since_ns) <= HELLO_TIMEOUT_NS {
        let cause = if rank == EARLIER { head.unfinished() } else { Cause::TABLE_FULL };
        stage.search.verdict = Verdict::PASS;
        tell(hellos, frame, stage, Some(head), cause);
    }
    if head.scattered != 0
        && let Some(mut body) = hellos.body(stage.index * HELLO_WAYS + way)
    {
        hellos.repeat(64 / CHUNK * 4, &mut Clear { body: &mut body });
    }
    head.begin(frame, stage.start, now_ns);
    head.earlier = earlier;
    stage.way = way;
    true
}

/// Hellos that a connection may have in front of another one. TLS has two in the clear; without
/// a bound whoever fills a window with the worst ones pays one connection for all of them.
const MAX_EARLIER: u32 = 3;

/// The way that is the flow's.
const OWN: u64 = u64::MAX;
/// An earlier hello of the same flow.
const EARLIER: u64 = u64::MAX - 1;
const FREE: u64 = 1 << 62;
const FINISHED: u64 = 1 << 61;

/// Looks at a way of the set: how well it suits.
struct Rank<'a> {
    set: &'a HelloSet,
    stage: &'a mut Stage,
    frame: &'a Frame,
    now_ns: u64,
}

impl Step for Rank<'_> {
    fn step(&mut self, index: u32) -> bool {
        let head = &self.set.ways[(index & (HELLO_WAYS - 1)) as usize];
        let age = self.now_ns.wrapping_sub(head.since_ns) & (FINISHED - 1);
        let received = self.frame.received.next.wrapping_sub(head.start);
        let reach = if head.state == HelloHead::DONE { head.needed } else { HELLO_WINDOW };
        let is_awaited = self.frame.has_socket() && received < reach;
        let is_known = self.stage.is_known != 0 && head.start == self.stage.start;
        let is_same = head.server == server_of(self.frame);
        let rank = if head.tag == self.frame.flow && is_same && (is_known || is_awaited) {
            OWN
        } else if head.tag == self.frame.flow {
            EARLIER
        } else if head.state == HelloHead::FREE {
            FREE
        } else if head.state != HelloHead::OPEN {
            FINISHED + age
        } else if age > HELLO_GRACE_NS {
            age
        } else {
            0
        };
        if rank > self.stage.rank {
            self.stage.rank = rank;
            self.stage.best = index;
        }
        rank == OWN
    }
}

/// What tells the frame's connection from others on the same ports; zero if nothing does.
#[inline(always)]
const fn server_of(frame: &Frame) -> u32 {
    if frame.has_socket() { frame.received.server } else { 0 }
}

/// Words that a step clears.
const CHUNK: u32 = 16;

/// Forgets which bytes were there.
struct Clear<'a> {
    body: &'a mut HelloBody,
}

impl Step for Clear<'_> {
    fn step(&mut self, index: u32) -> bool {
        for at in 0..CHUNK {
            let words = &mut self.body.there;
            // Hidden, or it would become a call and a loop over bytes.
            words[(index * CHUNK + at) as usize & (words.len() - 1)] = black_box(0);
        }
        false
    }
}

impl HelloHead {
    /// A hello of which nothing is there yet.
    #[inline(always)]
    fn begin(&mut self, frame: &Frame, start: u32, now_ns: u64) {
        // Hidden, as above.
        let zero = black_box(0);
        (self.tag, self.start, self.since_ns) = (frame.flow, start, now_ns);
        (self.source, self.destination) = (frame.source, frame.destination);
        self.source_port = frame.tcp.source_port;
        self.destination_port = frame.tcp.destination_port;
        self.state = Self::OPEN;
        (self.prefix, self.reach, self.needed) = (zero, zero, 1);
        (self.segments, self.records, self.record_at) = (zero, zero, zero);
        (self.message_len, self.opening, self.opened) = (zero, zero.into(), zero);
        (self.spoiled_from, self.spoiled_to, self.scattered) = (zero, zero, zero);
        self.refusal = zero;
        self.server = server_of(frame);
        self.is_first = u32::from(frame.has_socket() && frame.received.first == start);
    }
}
