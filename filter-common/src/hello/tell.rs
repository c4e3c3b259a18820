//! What the daemon is told of a hello, and what rules say of it.

use super::Hellos;
use super::rules::judge_cause;
use super::stage::{Piece, Stage};
use crate::abi::counter::{Reason, Verdict};
use crate::abi::hello::{Cause, HelloHead, HelloRecord};
use crate::abi::rule::RuleKey;
use crate::wire::frame::Frame;

/// A segment of a hello comes again that a rule didn't let through.
#[inline(always)]
pub(super) const fn refuse_again(frame: &mut Frame, head: &HelloHead) {
    if head.refusal != 0 && frame.monitor == 0 {
        frame.refused = Reason::HELLO_RULE;
        frame.refusal = Verdict(head.refusal.to_le_bytes()[0]);
    }
}

/// The hello has no fingerprint, for the cause on the stage.
#[inline(always)]
pub(super) fn fail<H: Hellos>(
    hellos: &H,
    frame: &mut Frame,
    stage: &mut Stage,
    head: Option<&mut HelloHead>,
) {
    let cause = stage.cause;
    judge_cause(hellos, frame, &mut stage.search, cause);
    if stage.is_quiet == 0 {
        tell(hellos, frame, stage, head.as_deref(), cause);
    }
    if let Some(head) = head {
        head.state = HelloHead::CLOSED;
        head.refusal = refusal(frame);
    }
}

/// What a rule did about a frame, if it ended it.
#[inline(always)]
pub(super) fn refusal(frame: &Frame) -> u32 {
    if frame.refused == Reason::NO_RULE { 0 } else { frame.refusal.0.into() }
}

/// Tells why a hello has no fingerprint.
#[inline(always)]
pub(super) fn tell<H: Hellos>(
    hellos: &H,
    frame: &mut Frame,
    stage: &mut Stage,
    head: Option<&HelloHead>,
    cause: Cause,
) {
    record(hellos, frame, head.unwrap_or(&stage.newcomer), &mut stage.record);
    stage.record.cause = cause;
    stage.record.verdict = stage.search.verdict;
    stage.work.parts = RuleKey::cause(cause);
    let Stage { record, work, .. } = stage;
    hellos.enter(frame, &record.source, &work.parts, 0, record.verdict);
    hellos.tell(&stage.record);
}

#[inline(always)]
pub(super) fn record<H: Hellos>(
    hellos: &H,
    frame: &Frame,
    head: &HelloHead,
    record: &mut HelloRecord,
) {
    record.time_ns = hellos.now_ns();
    record.source = head.source;
    record.destination = head.destination;
    record.source_port = head.source_port;
    record.destination_port = head.destination_port;
    record.start = head.start;
    record.ifindex = hellos.ifindex();
    record.segments = head.segments;
    record.is_first = head.is_first;
    record.stream_len = 0;
    let is_own = frame.has_socket() && head.tag == frame.flow;
    let first = if is_own { frame.received.first } else { head.start };
    hellos.recall_syn(head.tag, first, &mut record.syn);
    record.evidence = frame.evidence & HelloRecord::PROVEN;
}

impl HelloHead {
    /// Notes a piece whose bytes don't count.
    #[inline(always)]
    pub(super) const fn spoil(&mut self, piece: Piece) {
        if self.state != Self::OPEN {
            return;
        }
        let is_first = self.spoiled_to == 0;
        if is_first || piece.at < self.spoiled_from {
            self.spoiled_from = piece.at;
        }
        if piece.end() > self.spoiled_to {
            self.spoiled_to = piece.end();
        }
    }

    /// Why an unfinished hello isn't whole, judged by the first byte that is missing.
    #[inline(always)]
    #[must_use]
    pub const fn unfinished(&self) -> Cause {
        if self.spoiled_from <= self.prefix && self.prefix < self.spoiled_to {
            return Cause::BAD_CHECKSUM;
        }
        if self.reach > self.prefix { Cause::GAP } else { Cause::TIMED_OUT }
    }
}
