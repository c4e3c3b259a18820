//! `ClientHello`s: which segments hold pieces of them, and putting these together.
//!
//! A browser's ClientHello takes two segments, so looking at single packets would miss
//! it. For each new connection the window of sequence numbers is kept in which the hello may
//! lie. A segment that touches it is put into its hello's place, in any order, and the last
//! one brings the fingerprint.

mod assemble;
mod bytes;
mod claim;
pub mod evidence;
#[cfg(not(target_arch = "bpf"))]
pub mod memory;
mod rules;
mod stage;
mod start;
mod sum;
mod tell;
mod tls_record;

pub use stage::Stage;
pub use start::{RECORD_HEADER_LEN, START_LEN, Start, find, hello_len};

use crate::abi::config::HostConfig;
use crate::abi::counter::{Reason, Verdict};
use crate::abi::flow::FlowSlot;
use crate::abi::hello::{HELLO_WINDOW, HelloBody, HelloRecord, HelloSet, StreamBytes};
use crate::abi::rule::{Rule, RuleKey, SENTENCE};
use crate::decide::Tables;
use crate::hash::mix;
use crate::ja4::{Loop, Memo};
use crate::wire::address::Address;
use crate::wire::frame::Frame;
use core::ops::DerefMut;

/// What putting hellos together needs.
pub trait Hellos: Loop + Memo {
    /// A set, held as long as it is worked on.
    type Set<'a>: DerefMut<Target = HelloSet>
    where
        Self: 'a;
    /// A hello's bytes.
    type Body<'a>: DerefMut<Target = HelloBody>
    where
        Self: 'a;
    /// Room of this CPU.
    type Stage<'a>: DerefMut<Target = Stage>
    where
        Self: 'a;

    /// Whether the segment is what a local TCP socket waits for.
    fn is_evident(&self, frame: &Frame) -> bool;
    /// A set of hellos; `None` for a number that is none.
    fn set(&self, index: u32) -> Option<Self::Set<'_>>;
    /// Takes hold of a set; `false` if another CPU doesn't let it go.
    fn lock(&self, set: &mut HelloSet) -> bool;
    /// Lets it go.
    fn unlock(&self, set: &mut HelloSet);
    /// The bytes of a hello; `None` for a number that is none.
    fn body(&self, index: u32) -> Option<Self::Body<'_>>;
    /// Room of this CPU.
    fn stage(&self) -> Option<Self::Stage<'_>>;
    /// Copies the segment to the stage, from its TCP header on, as far as there is room.
    fn load(&self, frame: &Frame, stage: &mut Stage) -> bool;
    /// Copies `len` bytes, at most [`COPY_LEN`](crate::abi::hello::COPY_LEN), of the segment
    /// to a place in the stream.
    fn copy(&self, frame: &Frame, from: u32, len: u32, into: &mut StreamBytes, at: u32) -> bool;
    /// Tells the daemon of a hello without a fingerprint. Nothing comes back: a full buffer
    /// can't change a verdict.
    fn tell(&self, record: &HelloRecord);
    /// Tells the daemon of a hello, with the bytes of the stream that its record counts.
    fn tell_stream(&self, body: &HelloBody);
    /// The time in nanoseconds.
    fn now_ns(&self) -> u64;
    /// The time in nanoseconds, some milliseconds late.
    fn coarse_ns(&self) -> u64;
    /// A bit for each [kind](crate::abi::rule::RuleKey) of rule that there is.
    fn rule_kinds(&self) -> u32;
    /// The rule on exactly this, expired or not; all zero if there is none.
    fn rule(&self, key: &RuleKey) -> Rule;
    /// Counts a hello for a rule.
    fn count_rule(&self, number: u32, ended: bool);
    /// The interface that the frame came in by.
    fn ifindex(&self) -> u32;
}

/// Whether a TCP segment is to be taken to [`observe`]. Opens the flow's window on the way, if
/// it is the one that opens the connection.
///
/// *Concurrency*: the slot is a hint; see [`FlowSlot`].
#[inline(always)]
pub fn select<T: Tables>(tables: &T, config: &HostConfig, frame: &mut Frame) -> bool {
    if config.rule_kinds == 0 && (frame.tcp.fragment || frame.is_bare()) {
        return false;
    }
    frame.flow = flow_hash(config.secret, frame);
    let Some(slot) = tables.flow(frame.flow) else {
        return false;
    };
    let known = slot.load();
    let (tag, first) = (tag_of(frame.flow), frame.tcp.first());
    if known.ended == tag || frame.tcp.fragment {
        return known.ended == tag;
    }
    if frame.tcp.flags.opens() {
        // A SYN that nobody asked for must not move the window of a hello on its way.
        if known.tag != tag {
            slot.store(known.window(tag, first, HELLO_WINDOW));
        }
        return frame.tcp.payload_len() != 0;
    }
    let inside = known.tag == tag && touches(&known, first, frame.tcp.payload_len());
    !frame.is_bare() && (inside || frame.hello.len != 0)
}

/// Takes a segment that was selected. What a rule says of it is left in the frame.
#[inline(always)]
pub fn observe<T: Tables>(tables: &T, config: &HostConfig, frame: &mut Frame) {
    let hash = frame.flow;
    let Some(slot) = tables.flow(hash) else {
        return;
    };
    let hellos = tables.hellos();
    let (tag, first, payload_len) = (tag_of(hash), frame.tcp.first(), frame.tcp.payload_len());
    let mut known = slot.load();
    if known.ended == tag {
        let is_over = known.ended_until <= seconds(hellos.coarse_ns());
        if !is_over && frame.monitor == 0 {
            (frame.refused, frame.refusal) = (Reason::ENDED, Verdict::DROP);
            return;
        }
        known.ended = 0;
    }
    if frame.tcp.flags.opens() && known.tag != tag {
        known = known.window(tag, first, HELLO_WINDOW);
        slot.store(known);
    }
    if payload_len == 0 || frame.tcp.fragment {
        return;
    }
    frame.evidence = 0;
    if config.evidence == HostConfig::SOCKET {
        if !hellos.is_evident(frame) {
            return;
        }
        frame.evidence = HelloRecord::PROVEN;
    }
    let inside = known.tag == tag && touches(&known, first, payload_len);
    if !inside || first == known.start {
        let Start { skipped, len } = frame.hello;
        if len == 0 {
            // The stream starts with something else.
            if known.tag == tag {
                slot.store(known.closed());
            }
            return;
        }
        known = known.window(tag, first.wrapping_add(skipped.into()), len.into());
        slot.store(known);
    }
    tables.selected(frame, known.start);
    let looked_at = assemble::handle(hellos, frame, hash, known.start);
    if looked_at != 0 {
        // It is no hello, unless another version of these bytes is what the server sees.
        known = known.window(tag, known.start, looked_at);
        slot.store(known);
    }
    if frame.refused != Reason::NO_RULE && frame.refusal == Verdict::DROP {
        let until = seconds(hellos.coarse_ns()) + SENTENCE;
        slot.store(FlowSlot { ended: tag, ended_until: until, ..known });
    }
}

/// A time in units of 2^30 ns.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "it says so until the year 150")]
const fn seconds(ns: u64) -> u32 {
    (ns >> 30) as u32
}

/// A flow's slot, wherever it lies.
pub trait FlowRef {
    /// What it holds.
    fn load(&self) -> FlowSlot;
    /// Replaces it.
    fn store(&self, slot: FlowSlot);
}

/// Whether any of the bytes lie in the window. Sequence numbers wrap, so positions are
/// compared by their distance from the window's start.
#[inline(always)]
fn touches(window: &FlowSlot, first: u32, len: u32) -> bool {
    let width = window.end.wrapping_sub(window.start);
    let from = first.wrapping_sub(window.start);
    let before = window.start.wrapping_sub(first);
    from < width || (before < len && before != 0)
}

/// Mixes a four-tuple with the host's secret.
#[inline(always)]
fn flow_hash(secret: u64, frame: &Frame) -> u64 {
    let tcp = &frame.tcp;
    let ports = u64::from(tcp.source_port) << 16 | u64::from(tcp.destination_port);
    let hash = mix(mix_address(secret, &frame.source), ports);
    mix_address(hash, &frame.destination)
}

#[inline(always)]
const fn mix_address(hash: u64, address: &Address) -> u64 {
    mix(mix(hash, address.high), address.low)
}

/// The half of the hash that the slot's index leaves alone, never zero.
#[inline(always)]
fn tag_of(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_be_bytes();
    u32::from_be_bytes([a, b, c, d]) | 1
}

#[cfg(test)]
mod tests;
