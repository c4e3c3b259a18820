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
mod name;
mod rules;
mod stage;
mod start;
mod sum;
mod tell;
mod tls_record;
mod window;

pub use evidence::Received;
pub use name::{MAX_NAME_LEN, hash_name};
pub use stage::Stage;
pub use start::{RECORD_HEADER_LEN, START_LEN, Start, find, hello_len};
pub use sum::SUM_LEN;
pub use window::{FlowRef, end, is_none, observe, select};

use crate::abi::counter::Verdict;
use crate::abi::hello::{HelloBody, HelloRecord, HelloSet, StreamBytes};
use crate::abi::rule::{Parts, Rule, RuleKey};
use crate::abi::syn::SynHeaders;
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

    /// Whether the segment is what a local TCP socket waits for. What is known of the socket is
    /// left in the frame, by [`evidence::meet`].
    fn is_evident(&self, frame: &mut Frame) -> bool;
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
    /// The one's complement sum of words of two bytes in the stage's segment, in the host's
    /// order and folded into 32 bits at the most. Both numbers are multiples of four, and `len`
    /// is at most [`SUM_LEN`].
    fn sum(&self, stage: &Stage, from: u32, len: u32) -> u64;
    /// Copies `len` bytes, at most [`COPY_LEN`](crate::abi::hello::COPY_LEN), of the segment
    /// to a place in the stream.
    fn copy(&self, frame: &Frame, from: u32, len: u32, into: &mut StreamBytes, at: u32) -> bool;
    /// Keeps what a SYN looks like.
    fn keep_syn(&self, frame: &Frame);
    /// What the SYN of a flow's connection looked like whose first byte has this number; zeroes
    /// if that isn't known.
    fn recall_syn(&self, flow: u64, first: u32, into: &mut SynHeaders);
    /// Tells the daemon of a hello without a fingerprint. Nothing comes back: a full buffer
    /// can't change a verdict.
    fn tell(&self, record: &HelloRecord);
    /// Tells the daemon of a hello, with the bytes of the stream that its record counts.
    fn tell_stream(&self, body: &HelloBody);
    /// The time in nanoseconds.
    fn now_ns(&self) -> u64;
    /// The time in nanoseconds, some milliseconds late.
    fn coarse_ns(&self) -> u64;
    /// Enters a hello in the records of its fingerprint, or cause, and of its client. Its
    /// name is left in the frame.
    fn enter(
        &self,
        frame: &mut Frame,
        source: &Address,
        parts: &Parts,
        wire: u64,
        verdict: Verdict,
    );
    /// A [bit](crate::abi::rule::RuleKey::bit) for each kind of rule that there is.
    fn rule_kinds(&self) -> u32;
    /// The rule on exactly this, expired or not; all zero if there is none.
    fn rule(&self, key: &RuleKey) -> Rule;
    /// Counts a hello for a rule.
    fn count_rule(&self, number: u32, ended: bool);
    /// The interface that the frame came in by.
    fn ifindex(&self) -> u32;
}

#[cfg(test)]
mod tests;
