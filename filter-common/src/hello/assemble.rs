//! Putting a hello together from the segments of its stream.
//!
//! Whatever order they come in, each byte is taken once; a segment that says something else
//! about a byte that is there is a conflict. Nothing here trusts a length: what a segment may
//! do to a hello is bounded by the window.

use super::Hellos;
use super::bytes::{Compare, take};
use super::claim::claim;
use super::rules::judge;
use super::stage::{Piece, Stage};
use super::sum;
use super::tell::{fail, record, refusal, refuse_again};
use super::tls_record::{self, Progress};
use crate::abi::hello::{
    Cause, HELLO_SETS, HELLO_WAYS, HELLO_WINDOW, HelloBody, HelloHead, HelloRecord, HelloSet,
    MAX_SEGMENTS,
};
use crate::ja4::{self, Fault};
use crate::wire::checksum::Checksum;
use crate::wire::frame::Frame;
use core::hint::black_box;

/// Which bits of a flow's hash say its set; the lowest are those of its slot.
const SET_SHIFT: u32 = 16;

/// What became of a segment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    /// Where its hello starts.
    pub(super) start: u32,
    /// How many bytes from there are worth looking at; zero: nothing was taken.
    pub(super) len: u32,
    /// Whether the hello isn't all there.
    pub(super) is_open: bool,
    /// Whether it turned out to be none.
    pub(super) is_other: bool,
}

/// Takes a segment of the stream that starts at `start`; without that, of a hello of its flow
/// that isn't all there.
///
/// *Concurrency*: whoever works on a set holds it, for some microseconds at most. A segment
/// that doesn't get it is lost to the hello, and judged like one that found no place.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a mask leaves a few bits")]
pub(super) fn handle<H: Hellos>(hellos: &H, frame: &mut Frame, start: Option<u32>) -> Taken {
    let Some(mut stage) = hellos.stage() else {
        return Taken::default();
    };
    let stage = &mut *stage;
    stage.is_known = u32::from(start.is_some());
    stage.start = start.unwrap_or(frame.received.next);
    stage.piece = Piece::of(frame, stage.start);
    let flags = frame.tcp.flags;
    if (stage.piece.len == 0 && !flags.is_urgent()) || !hellos.load(frame, stage) {
        return Taken::default();
    }
    // Data in the answer to a SYN, or in a reset, is none to the stack.
    let is_void = flags.resets() || flags.synchronizes() && !flags.opens();
    let is_bad = is_void || sum::check(frame, stage, hellos) == Checksum::Bad;
    stage.index = (frame.flow >> SET_SHIFT) as u32 & (HELLO_SETS - 1);
    let Some(mut set) = hellos.set(stage.index) else {
        return Taken::default();
    };
    // Hidden: of zeroes side by side LLVM makes a call, and a loop over bytes.
    let zero = black_box(0);
    (stage.cause, stage.is_quiet, stage.is_other) = (Cause::NONE, zero, zero);
    (stage.way, stage.look_at, stage.is_open) = (NO_WAY, zero, zero);
    let is_held = hellos.lock(&mut set);
    if !is_held {
        (stage.cause, stage.is_quiet) = (Cause::TABLE_FULL, 1);
    } else if claim(hellos, frame, stage, &mut set) {
        place(hellos, frame, stage, &mut set, is_bad);
    }
    let mut head = set.ways.get_mut(stage.way as usize);
    if stage.cause != Cause::NONE {
        fail(hellos, frame, stage, head.as_deref_mut());
    }
    if let Some(head) = head {
        stage.is_open = u32::from(head.state == HelloHead::OPEN);
        stage.start = head.start;
        let is_done = head.state == HelloHead::DONE;
        stage.look_at = if is_done { head.needed } else { HELLO_WINDOW };
    }
    if is_held {
        hellos.unlock(&mut set);
    }
    Taken {
        start: stage.start,
        len: stage.look_at,
        is_open: stage.is_open != 0,
        is_other: stage.is_other != 0,
    }
}

/// In the place of a way: the segment found none.
const NO_WAY: u32 = HELLO_WAYS;

/// Puts the segment into its hello. If that has no fingerprint, the cause is left on the stage.
#[inline(always)]
fn place<H: Hellos>(
    hellos: &H,
    frame: &mut Frame,
    stage: &mut Stage,
    set: &mut HelloSet,
    is_bad: bool,
) {
    let way = stage.way;
    let Some(head) = set.ways.get_mut(way as usize) else {
        return;
    };
    let Some(mut body) = hellos.body(stage.index * HELLO_WAYS + way) else {
        return;
    };
    let body = &mut *body;
    if is_bad {
        head.spoil(stage.piece);
        return;
    }
    if head.state == HelloHead::DONE {
        compare_late(hellos, frame, stage, head, body);
        return;
    }
    if head.state != HelloHead::OPEN {
        refuse_again(frame, head);
        return;
    }
    if frame.tcp.flags.is_urgent() {
        stage.cause = Cause::URGENT;
        return;
    }
    if !take(hellos, frame, stage, head, body) {
        if stage.conflicts != 0 {
            stage.cause = Cause::CONFLICT;
        }
        return;
    }
    // What the server has and this doesn't went by unseen, and won't come again.
    let received = frame.received.next.wrapping_sub(head.start);
    if frame.has_socket() && received <= HELLO_WINDOW && head.prefix < received {
        stage.cause = Cause::GAP;
        return;
    }
    let progress = if head.prefix < head.needed {
        Progress::NEED
    } else {
        tls_record::read(head, body, stage, hellos)
    };
    if progress == Progress::OTHER {
        (head.state, head.needed, head.records) = (HelloHead::DONE, head.prefix, 0);
        stage.is_other = 1;
        return;
    }
    if progress == Progress::NEED && head.segments > MAX_SEGMENTS {
        stage.cause = Cause::TOO_MANY_SEGMENTS;
    }
    if progress != Progress::WHOLE {
        return;
    }
    finish(hellos, frame, stage, head, body);
}

/// Holds a late segment against the hello. What was joined from several records isn't there
/// any more as it came: that it comes again is a conflict, if a socket waits for it.
#[inline(always)]
fn compare_late<H: Hellos>(
    hellos: &H,
    frame: &mut Frame,
    stage: &mut Stage,
    head: &HelloHead,
    body: &HelloBody,
) {
    let Piece { at, len, .. } = stage.piece;
    if at >= head.needed {
        return;
    }
    if head.records != 0 {
        refuse_again(frame, head);
        // A socket that waits for these bytes has not taken those that were joined.
        if frame.evidence & HelloRecord::PROVEN != 0 {
            stage.cause = Cause::CONFLICT;
        }
        return;
    }
    let room = head.needed - at;
    stage.conflicts = 0;
    hellos.repeat(if len < room { len } else { room }, &mut Compare { head, body, stage });
    if stage.conflicts == 0 {
        refuse_again(frame, head);
    } else {
        stage.cause = Cause::CONFLICT;
    }
}

/// The hello is there.
#[inline(always)]
fn finish<H: Hellos>(
    hellos: &H,
    frame: &mut Frame,
    stage: &mut Stage,
    head: &mut HelloHead,
    body: &mut HelloBody,
) {
    let removed = tls_record::join(head, body, stage, hellos);
    let end = head.needed - removed;
    head.state = HelloHead::DONE;
    if let Err(fault) = ja4::fingerprint(&body.bytes, end, &mut stage.work, hellos) {
        let is_malformed = fault == Fault::Malformed;
        stage.cause = if is_malformed { Cause::MALFORMED } else { Cause::TOO_MANY_VALUES };
        return;
    }
    judge(hellos, frame, &mut stage.search, &body.bytes, &stage.work);
    head.refusal = refusal(frame);
    (frame.is_fingerprinted, frame.hello_start) = (1, head.start);
    let (wire, verdict) = (stage.work.wire(), stage.search.verdict);
    hellos.enter(frame, &head.source, &stage.work.parts, wire, verdict);
    record(hellos, frame, head, &mut body.record);
    body.record.wire = stage.work.wire();
    body.record.stream_len = end;
    body.record.cause = Cause::NONE;
    body.record.verdict = stage.search.verdict;
    body.record.ja4 = stage.work.ja4;
    hellos.tell_stream(body);
}
