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
use super::tell::{fail, record, refusal, refuse_again, said};
use super::tls_record::{self, Progress};
use crate::abi::hello::{
    Cause, HELLO_SETS, HELLO_WAYS, HelloBody, HelloHead, HelloSet, MAX_SEGMENTS,
};
use crate::ja4::{self, Fault};
use crate::wire::checksum::Checksum;
use crate::wire::frame::Frame;

/// Which bits of a flow's hash say its set; the lowest are those of its slot.
const SET_SHIFT: u32 = 16;

/// Takes a segment of the stream that starts at `start`. If that turned out to be no hello: how
/// many of its bytes say so.
///
/// *Concurrency*: whoever works on a set holds it, for some microseconds at most. A segment
/// that doesn't get it is lost to the hello, as if it had not come.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a mask leaves a few bits")]
pub(super) fn handle<H: Hellos>(hellos: &H, frame: &mut Frame, hash: u64, start: u32) -> u32 {
    let Some(mut stage) = hellos.stage() else {
        return 0;
    };
    let stage = &mut *stage;
    stage.piece = Piece::of(frame, start);
    if stage.piece.len == 0 || !hellos.load(frame, stage) {
        return 0;
    }
    let is_bad = sum::check(frame, stage, hellos) == Checksum::Bad;
    stage.index = (hash >> SET_SHIFT) as u32 & (HELLO_SETS - 1);
    let Some(mut set) = hellos.set(stage.index) else {
        return 0;
    };
    if !hellos.lock(&mut set) {
        return 0;
    }
    stage.looked_at = 0;
    if let Some(way) = claim(hellos, frame, stage, &mut set, (hash, start)) {
        place(hellos, frame, stage, &mut set, (way, is_bad));
    }
    hellos.unlock(&mut set);
    stage.looked_at
}

/// Puts the segment into the hello at this way of its set.
#[inline(always)]
fn place<H: Hellos>(
    hellos: &H,
    frame: &mut Frame,
    stage: &mut Stage,
    set: &mut HelloSet,
    (way, is_bad): (u32, bool),
) {
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
        return compare_late(hellos, frame, stage, head, body);
    }
    if head.state != HelloHead::OPEN {
        refuse_again(frame, head);
        return;
    }
    if !take(hellos, frame, stage, head, body) {
        if stage.conflicts != 0 {
            fail(hellos, frame, stage, head, Cause::CONFLICT);
        }
        return;
    }
    let progress = if head.prefix < head.needed {
        Progress::NEED
    } else {
        tls_record::read(head, body, stage, hellos)
    };
    if progress == Progress::OTHER {
        (head.state, head.needed, head.records) = (HelloHead::DONE, head.prefix, 0);
        stage.looked_at = head.prefix;
        return;
    }
    if progress == Progress::FAILED {
        return fail(hellos, frame, stage, head, stage.cause);
    }
    if progress == Progress::NEED {
        if head.segments > MAX_SEGMENTS {
            return fail(hellos, frame, stage, head, Cause::TOO_MANY_SEGMENTS);
        }
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
    head: &mut HelloHead,
    body: &HelloBody,
) {
    let Piece { at, len, .. } = stage.piece;
    if at >= head.needed {
        return;
    }
    if head.records != 0 {
        refuse_again(frame, head);
        // A socket that waits for these bytes has not taken those that were joined.
        if frame.evidence != 0 {
            fail(hellos, frame, stage, head, Cause::CONFLICT);
        }
        return;
    }
    let room = head.needed - at;
    stage.conflicts = 0;
    hellos.repeat(if len < room { len } else { room }, &mut Compare { head, body, stage });
    if stage.conflicts == 0 {
        refuse_again(frame, head);
        return;
    }
    fail(hellos, frame, stage, head, Cause::CONFLICT);
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
    match ja4::fingerprint(&body.bytes, end, &mut stage.work, hellos) {
        Ok(()) => {}
        Err(Fault::Malformed) => return fail(hellos, frame, stage, head, Cause::MALFORMED),
        Err(Fault::TooMany) => return fail(hellos, frame, stage, head, Cause::TOO_MANY_VALUES),
    }
    judge(hellos, frame, &mut stage.search, stage.work.parts, Cause::NONE);
    head.refusal = refusal(frame);
    record(hellos, frame, head, &mut body.record);
    body.record.stream_len = end;
    body.record.cause = Cause::NONE;
    body.record.verdict = said(frame);
    body.record.ja4 = stage.work.ja4;
    hellos.tell_stream(body);
}
