//! Which segments may hold a piece of a hello: a window of sequence numbers for each flow.

use super::assemble::{Taken, handle};
use super::{Hellos, Received, Start};
use crate::abi::config::HostConfig;
use crate::abi::counter::{Reason, Verdict};
use crate::abi::flow::{FlowSlot, ticks};
use crate::abi::hello::HELLO_WINDOW;
use crate::abi::rule::SENTENCE;
use crate::decide::Tables;
use crate::hash::mix;
use crate::wire::frame::Frame;
use core::hint::black_box;

/// A flow's slot, wherever it lies.
pub trait FlowRef {
    /// What it holds.
    fn load(&self) -> FlowSlot;
    /// Replaces it.
    fn store(&self, slot: FlowSlot);
}

/// Whether a TCP segment is to be taken to [`observe`]. Opens the flow's window on the way, if
/// it is the one that opens the connection.
///
/// *Concurrency*: the slot is a hint; see [`FlowSlot`].
#[inline(always)]
pub fn select<T: Tables>(tables: &T, config: &HostConfig, frame: &mut Frame) -> bool {
    let is_urgent = frame.tcp.flags.is_urgent();
    if config.rule_kinds == 0 && (frame.tcp.fragment || frame.is_bare()) && !is_urgent {
        return false;
    }
    frame.flow = flow_hash(config.secret, frame);
    let Some(slot) = tables.flow(frame.flow) else {
        return false;
    };
    let known = slot.load();
    let tag = tag_of(frame.flow);
    if known.ended == tag || frame.tcp.fragment {
        return known.ended == tag;
    }
    if frame.tcp.flags.opens() {
        tables.hellos().keep_syn(frame);
        open(tables.hellos(), &slot, known, tag, frame);
        // On ports that were used before, only the socket knows whether this is another one.
        let is_other = known.tag == tag && known.start != frame.tcp.first();
        return frame.tcp.payload_len() != 0 || is_other && config.evidence == HostConfig::SOCKET;
    }
    if is_urgent || frame.is_bare() {
        // An urgent byte may lie behind a segment that has none.
        return is_urgent;
    }
    let inside = known.tag == tag && touches(&known, frame);
    inside
        || frame.hello.len != 0
        || known.crowded != 0 && known.is_crowded(ticks(tables.hellos().coarse_ns()))
}

/// A SYN opens its flow's window. One that nobody asked for must not move the window of a hello
/// on its way.
#[inline(always)]
fn open<H: Hellos, F: FlowRef>(hellos: &H, slot: &F, known: FlowSlot, tag: u32, frame: &Frame) {
    if known.tag == tag {
        return;
    }
    if known.unfinished != 0 {
        let now = ticks(hellos.coarse_ns());
        if known.is_kept(now) {
            return slot.store(FlowSlot { crowded: now, ..known });
        }
    }
    slot.store(known.window(tag, frame.tcp.first(), HELLO_WINDOW));
}

/// Takes a segment that was selected. What a rule says of it is left in the frame.
#[inline(always)]
pub fn observe<T: Tables>(tables: &T, config: &HostConfig, frame: &mut Frame) {
    let Some(slot) = tables.flow(frame.flow) else {
        return;
    };
    let (hellos, tag) = (tables.hellos(), tag_of(frame.flow));
    let mut known = slot.load();
    let has_ended = known.ended == tag && frame.monitor == 0;
    let now = seconds(hellos.coarse_ns());
    if has_ended && known.ended_until > now {
        (frame.refused, frame.refusal) = (Reason::ENDED, Verdict::DROP);
        return;
    }
    frame.evidence = 0;
    let is_inside = known.tag == tag && known.holds(frame.tcp.first());
    frame.hello_start = if is_inside { known.start } else { frame.tcp.first() };
    let is_evident = config.evidence != HostConfig::SOCKET || hellos.is_evident(frame);
    if has_ended {
        // Its time is up. If its server still waits for the rest of that hello, it gets as much
        // again.
        let received = frame.received.next.wrapping_sub(known.ended_start);
        if frame.has_socket() && received < HELLO_WINDOW {
            slot.store(FlowSlot { ended_until: now + SENTENCE, ..known });
            (frame.refused, frame.refusal) = (Reason::ENDED, Verdict::DROP);
            return;
        }
        known.ended = 0;
        slot.store(known);
    }
    if frame.tcp.flags.opens() {
        if known.tag == tag && config.evidence == HostConfig::SOCKET && !frame.has_socket() {
            // The connection that the window was for is gone.
            slot.store(known.window(tag, frame.tcp.first(), HELLO_WINDOW));
        } else {
            open(hellos, &slot, known, tag, frame);
        }
    }
    let is_urgent = frame.tcp.flags.is_urgent() && frame.has_socket();
    let is_empty = frame.tcp.payload_len() == 0 && !is_urgent;
    if is_empty || frame.tcp.fragment || !is_evident {
        return;
    }
    let start = if frame.has_socket() {
        awaited(known, tag, frame)
    } else {
        seen(&slot, known, tag, frame)
    };
    // Without a start, it may be the rest of a hello whose slot is another flow's.
    let time = ticks(hellos.coarse_ns());
    if start.is_none() && !(frame.has_socket() && known.is_crowded(time)) {
        return;
    }
    if let Some(start) = start {
        tables.selected(frame, start);
    }
    let frame = black_box(frame);
    let taken = handle(hellos, frame, start);
    let frame = black_box(frame);
    let known = if frame.has_socket() {
        keep(slot.load(), tag, &taken, time)
    } else if taken.is_other {
        is_none(slot.load(), frame.flow, taken.start, taken.len)
    } else {
        slot.load()
    };
    slot.store(known);
    if frame.refused != Reason::NO_RULE && frame.refusal == Verdict::DROP {
        frame.hello_start = taken.start;
        end(tables, frame);
    }
}

/// Ends the connection of a frame whose hello was refused.
#[inline(always)]
pub fn end<T: Tables>(tables: &T, frame: &Frame) {
    let Some(slot) = tables.flow(frame.flow) else {
        return;
    };
    let ended_until = seconds(tables.hellos().coarse_ns()) + SENTENCE;
    let (ended, ended_start) = (tag_of(frame.flow), frame.hello_start);
    slot.store(FlowSlot { ended, ended_start, ended_until, ..slot.load() });
}

/// The slot of a stream whose first bytes, so many, say that it holds no hello. They may belong to
/// one all the same: another version of them may be what the server sees.
#[inline(always)]
#[must_use]
pub fn is_none(slot: FlowSlot, flow: u64, start: u32, len: u32) -> FlowSlot {
    slot.window(tag_of(flow), start, len)
}

/// Where a segment's hello starts, by what its socket has: nobody moves that by what he sends.
#[inline(always)]
fn awaited(known: FlowSlot, tag: u32, frame: &Frame) -> Option<u32> {
    let (Received { next, first, .. }, Start { skipped, len }) = (frame.received, frame.hello);
    if next == first {
        Some(first)
    } else if known.tag == tag && known.holds(next) {
        Some(known.start)
    } else if len != 0 && frame.tcp.first() == next && next.wrapping_sub(first) < HELLO_WINDOW {
        Some(next.wrapping_add(skipped.into()))
    } else {
        None
    }
}

/// Where it starts, by sight: in captures, and on hosts that forward.
#[inline(always)]
fn seen<F: FlowRef>(slot: &F, known: FlowSlot, tag: u32, frame: &Frame) -> Option<u32> {
    let (is_ours, first) = (known.tag == tag, frame.tcp.first());
    if is_ours && touches(&known, frame) && first != known.start {
        return Some(known.start);
    }
    let Start { skipped, len } = frame.hello;
    if len != 0 {
        let start = first.wrapping_add(skipped.into());
        slot.store(known.window(tag, start, len.into()));
        return Some(start);
    }
    if is_ours {
        // The stream starts with something else.
        slot.store(known.closed());
    }
    None
}

/// The slot behind a segment whose socket is known. One that is kept for another flow's hello
/// stays that, and both are looked at.
#[inline(always)]
fn keep(there: FlowSlot, tag: u32, taken: &Taken, time: u32) -> FlowSlot {
    if taken.len == 0 {
        there
    } else if there.tag == tag || !there.is_kept(time) {
        let unfinished = if taken.is_open { time } else { 0 };
        FlowSlot { unfinished, ..there.window(tag, taken.start, taken.len) }
    } else if taken.is_open {
        FlowSlot { crowded: time, ..there }
    } else {
        there
    }
}

/// A time in units of 2^30 ns.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "it says so until the year 150")]
const fn seconds(ns: u64) -> u32 {
    (ns >> 30) as u32
}

/// Whether any of the segment's bytes lie in the window. Sequence numbers wrap, so positions
/// are compared by their distance from the window's start.
#[inline(always)]
fn touches(window: &FlowSlot, frame: &Frame) -> bool {
    let (first, len) = (frame.tcp.first(), frame.tcp.payload_len());
    let before = window.start.wrapping_sub(first);
    window.holds(first) || (before < len && before != 0)
}

/// Mixes a four-tuple with the host's secret. Each data packet pays for it, so what can be mixed
/// side by side is.
#[inline(always)]
fn flow_hash(secret: u64, frame: &Frame) -> u64 {
    let Frame { tcp, source, destination, .. } = frame;
    let ports = u64::from(tcp.source_port) << 16 | u64::from(tcp.destination_port);
    let addresses = if source.is_v4() {
        mix(secret, u64::from(source.tail()) << 32 | u64::from(destination.tail()))
    } else {
        let words = [source.high, source.low, destination.high, destination.low];
        let [a, b, c, d] = words.map(|word| mix(secret, word));
        a ^ b.rotate_left(16) ^ c.rotate_left(32) ^ d.rotate_left(48) ^ 1
    };
    mix(mix(addresses, ports), secret)
}

/// The half of the hash that the slot's index leaves alone, never zero.
#[inline(always)]
fn tag_of(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_be_bytes();
    u32::from_be_bytes([a, b, c, d]) | 1
}

#[cfg(test)]
mod tests;
