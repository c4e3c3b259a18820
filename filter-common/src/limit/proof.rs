//! Whether a packet's client has proved itself: a mark that it did, or a socket.

use super::{Limits, proven};
use crate::wire::frame::{Frame, Kind, Proof};

/// Whether the packet's client has proved itself lately, or does so now.
#[inline(always)]
pub(super) fn is_proven<L: Limits>(limits: &L, frame: &mut Frame, now_ns: u64) -> bool {
    if frame.proof == Proof::UNKNOWN {
        frame.proof = limits.prove(frame, now_ns, proven::RECENT);
    }
    frame.proof == Proof::PROVEN
}

/// Learns that a client has proved itself, from a segment of its connection. Called for
/// packets that have passed, when some profile is guarded.
#[inline(always)]
pub(crate) fn learn<L: Limits>(limits: &L, frame: &mut Frame) {
    let flags = frame.tcp.flags;
    if frame.proof == Proof::UNKNOWN && !flags.synchronizes() && !flags.resets() {
        frame.proof = limits.prove(frame, limits.coarse_ns(), proven::FRESH);
    }
}

/// Looks for a mark that is young enough, and for a socket where it is none of the last
/// half minute.
#[inline(always)]
pub fn prove<L: Limits>(limits: &L, frame: &Frame, now_ns: u64, within: u64) -> Proof {
    let mixed = proven::mixed(&limits.secrets(), &frame.source);
    let Some(marks) = limits.marks(mixed) else {
        return Proof::NONE;
    };
    let age = proven::age(&marks, mixed, now_ns);
    if age <= proven::FRESH {
        return Proof::PROVEN;
    }
    // A mark that counts is renewed as well: under a long attack nobody else does it.
    let may_be = frame.kind == Kind::Tcp && !frame.tcp.flags.synchronizes();
    if may_be && limits.is_established(frame) {
        proven::mark(&marks, mixed, now_ns, |number| limits.forgotten(number));
        return Proof::PROVEN;
    }
    if age <= within { Proof::PROVEN } else { Proof::NONE }
}
