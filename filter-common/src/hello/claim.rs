//! A place for a flow's hello.

use super::Hellos;
use super::rules::judge;
use super::stage::Stage;
use super::tell::{refusal, said, tell};
use crate::abi::counter::Verdict;
use crate::abi::hello::{
    Cause, HELLO_GRACE_NS, HELLO_TIMEOUT_NS, HELLO_WAYS, HelloBody, HelloHead, HelloSet,
};
use crate::abi::rule::Parts;
use crate::ja4::Step;
use crate::wire::frame::Frame;
use core::hint::black_box;

/// Finds the place of a flow's hello, or takes one for it: which way of the set.
///
/// Its own comes first, then an empty one, then the oldest that is finished, then one that
/// has been unfinished for longer than [`HELLO_GRACE_NS`].
#[inline(always)]
pub(super) fn claim<H: Hellos>(
    hellos: &H,
    frame: &mut Frame,
    stage: &mut Stage,
    set: &mut HelloSet,
    (hash, start): (u64, u32),
) -> Option<u32> {
    let now_ns = hellos.coarse_ns();
    stage.rank = 0;
    stage.way = 0;
    hellos.repeat(HELLO_WAYS, &mut Rank { set, stage, hash, start, now_ns });
    let (way, rank) = (stage.way & (HELLO_WAYS - 1), stage.rank);
    let head = &mut set.ways[way as usize];
    if rank == OWN {
        if head.state == HelloHead::OPEN && now_ns.wrapping_sub(head.since_ns) > HELLO_TIMEOUT_NS {
            // The daemon tells it, once.
            let cause = head.unfinished();
            head.state = HelloHead::CLOSED;
            judge(hellos, frame, &mut stage.search, Parts::default(), cause);
            head.refusal = refusal(frame);
        }
        return Some(way);
    }
    if rank == 0 {
        if stage.piece.at == 0 {
            stage.newcomer.begin(frame, hash, start, now_ns);
            judge(hellos, frame, &mut stage.search, Parts::default(), Cause::TABLE_FULL);
            stage.record.verdict = said(frame);
            tell(hellos, frame, stage, None, Cause::TABLE_FULL);
        }
        return None;
    }
    if head.state == HelloHead::OPEN && now_ns.wrapping_sub(head.since_ns) <= HELLO_TIMEOUT_NS {
        let cause = if rank == EARLIER { head.unfinished() } else { Cause::TABLE_FULL };
        stage.record.verdict = Verdict::PASS;
        tell(hellos, frame, stage, Some(head), cause);
    }
    if head.scattered != 0
        && let Some(mut body) = hellos.body(stage.index * HELLO_WAYS + way)
    {
        hellos.repeat(64 / CHUNK * 4, &mut Clear { body: &mut body });
    }
    head.begin(frame, hash, start, now_ns);
    Some(way)
}

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
    hash: u64,
    start: u32,
    now_ns: u64,
}

impl Step for Rank<'_> {
    fn step(&mut self, index: u32) -> bool {
        let head = &self.set.ways[(index & (HELLO_WAYS - 1)) as usize];
        let age = self.now_ns.wrapping_sub(head.since_ns) & (FINISHED - 1);
        let rank = if head.tag == self.hash && head.start == self.start {
            OWN
        } else if head.tag == self.hash {
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
            self.stage.way = index;
        }
        false
    }
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
    fn begin(&mut self, frame: &Frame, tag: u64, start: u32, now_ns: u64) {
        // Hidden, as above.
        let zero = black_box(0);
        (self.tag, self.start, self.since_ns) = (tag, start, now_ns);
        (self.source, self.destination) = (frame.source, frame.destination);
        self.source_port = frame.tcp.source_port;
        self.destination_port = frame.tcp.destination_port;
        self.state = Self::OPEN;
        (self.prefix, self.reach, self.needed) = (zero, zero, 1);
        (self.segments, self.records, self.record_at) = (zero, zero, zero);
        (self.message_len, self.opening, self.opened) = (zero, zero.into(), zero);
        (self.spoiled_from, self.spoiled_to, self.scattered) = (zero, zero, zero);
        self.refusal = zero;
    }
}
