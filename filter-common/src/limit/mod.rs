//! Limits: which apply to a packet, in what order, and what they make of it.
//!
//! A packet meets the profiles of its service in the order of the service's [`Plan`]:
//!
//! 1. what counts everybody together looks whether it would refuse, which costs least in a
//!    flood;
//! 2. the profile of a throttle verdict, then that of a list, then those that count each
//!    client for itself are charged;
//! 3. what counts everybody together is charged: only by packets that their client's own
//!    limits let through.
//!
//! The first that refuses decides. What was charged before it stays charged; it and what is
//! behind it are not. A profile in shadow refuses nothing and isn't charged when it would.

pub mod key;
#[cfg(not(target_arch = "bpf"))]
pub mod memory;
pub mod meter;
mod proof;
pub mod proven;
pub mod quota;
mod step;

pub(crate) use proof::learn;
pub use proof::prove;
pub use step::step;

use crate::abi::address::AddressClass;
use crate::abi::limit::{ListLimit, Plan, Profile, THROTTLE_PROFILE};
use crate::verdict::Standing;
use crate::wire::frame::{Frame, Proof};
use key::Place;
use meter::{Charge, Meters, Own, Word};
use proven::Marks;

/// The look-ups that limits need.
pub trait Limits {
    /// What a key has used, or everybody together.
    type Word: Word;
    /// A set of meters.
    type Meters: Meters<Word = Self::Word>;
    /// A line of proven clients.
    type Marks: Marks;

    /// The steps of a service's packets.
    fn plan(&self, service: u32) -> Plan;
    /// What a list limits its clients to.
    fn list_limit(&self, list: u16) -> ListLimit;
    /// The copy of a profile that counts.
    fn profile(&self, number: u32) -> Option<&Profile>;
    /// A set of meters.
    fn meters(&self, set: u32) -> Option<Self::Meters>;
    /// A profile's word.
    fn aggregate(&self, number: u32) -> Option<Self::Word>;
    /// The line that a number's lower bits name.
    fn marks(&self, mixed: u64) -> Option<Self::Marks>;
    /// The secrets of [`key::place`].
    fn secrets(&self) -> key::Secrets;
    /// Nanoseconds on the clock of `bpf_ktime_get_ns`.
    fn precise_ns(&self) -> u64;
    /// The same, a few milliseconds late and cheaper.
    fn coarse_ns(&self) -> u64;
    /// Whether there is an established local socket for the segment. `false` as well when
    /// there were too many questions lately.
    fn is_established(&self, frame: &Frame) -> bool;
    /// Counts what a profile made of a packet.
    fn count_limit(&self, number: u32, outcome: Outcome, bytes: u32);
    /// Notes that a key went over. Nothing comes back: it can't change a verdict.
    fn note_offender(&self, place: &Place, now_ns: u64);
    /// Whether a charge would pass, by [`meter::look`]. This and the next three are functions
    /// of their own in the kernel: what they found out is forgotten when they return, so that
    /// the verifier needn't follow it.
    fn look(&self, word: &Self::Word, charge: &Charge) -> bool;
    /// The way of a meter that a new key may take, by [`meter::room`].
    fn room(&self, meters: &Self::Meters, own: &Own, now_ns: u64) -> u32;
    /// How much it would change to forget a meter, by [`meter::weight`].
    fn weight(&self, tag: u64, word: u64, now_ns: u64) -> u64;
    /// Whether a client has proved itself, by [`prove`].
    fn prove(&self, frame: &Frame, now_ns: u64, within: u64) -> Proof;
    /// Hides a number from the verifier, which would follow each of its values.
    fn forgotten(&self, number: u64) -> u64;
    /// Takes [`step`]s until one says that it was the last, [`MAX_STEPS`] at the most.
    fn walk(&self, frame: &mut Frame);
}

/// Steps of a packet: those of its service, of a throttle verdict and of a list, and those
/// that are taken again.
#[expect(clippy::cast_possible_truncation, reason = "sixteen")]
pub const MAX_STEPS: u32 = (Plan::MAX_STEPS + 2) as u32 + ATTEMPTS as u32;

/// Races that a packet loses at most. Then the profile lets it pass uncharged.
const ATTEMPTS: u8 = 14;

/// What a profile made of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome(pub u32);

impl Outcome {
    /// It was charged.
    pub const PASSED: Self = Self(0);
    /// It was charged beyond a guarded half, because its client has proved itself.
    pub const PREFERRED: Self = Self(1);
    /// It passed uncharged: there was no room, or too many CPUs were faster.
    pub const UNTRACKED: Self = Self(2);
    /// It was refused.
    pub const REFUSED: Self = Self(3);
    /// It would have been.
    pub const WOULD_REFUSE: Self = Self(4);
    /// Another CPU was faster: it has to be looked at again.
    pub const LOST: Self = Self(5);
}

/// Puts a frame through its limits. What refused it is left in `frame`.
#[inline(always)]
pub fn check<L: Limits>(limits: &L, standing: Standing, frame: &mut Frame) {
    plan(limits, standing, frame);
    if has_steps(frame) {
        limits.walk(frame);
    }
}

/// Whether steps of the frame's plan are left.
#[inline(always)]
#[must_use]
pub const fn has_steps(frame: &Frame) -> bool {
    frame.plan.low != 0 || frame.own_steps != 0
}

/// Says which limits a frame meets: what [`step`] takes one after another.
#[inline(always)]
pub fn plan<L: Limits>(limits: &L, standing: Standing, frame: &mut Frame) {
    frame.plan = limits.plan(frame.service);
    frame.own_steps = 0;
    frame.lost = 0;
    frame.replaced_unit = Profile::NO_UNIT;
    let list = list_limit(limits, frame.class);
    let held = frame.class.action() == AddressClass::LIMIT;
    // A list in shadow must not charge what the service charges as well.
    if list.profile != 0 && (held || !frame.plan.charges(list.profile)) {
        put_first(frame, Plan::LIST, list.profile);
    }
    if held && list.profile != 0 {
        frame.replaced_unit = list.unit.to_le_bytes()[0];
    }
    if standing.is_throttled() {
        let role = if standing.throttles() { Plan::CHARGE } else { Plan::SHADOW };
        put_first(frame, role, THROTTLE_PROFILE);
    }
}

/// Puts a step before the frame's own.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a byte")]
const fn put_first(frame: &mut Frame, role: u64, number: u32) {
    let step = role | number as u64 & Plan::NUMBER;
    frame.own_steps = frame.own_steps << 8 | step as u16;
}

#[inline(always)]
fn list_limit<L: Limits>(limits: &L, class: AddressClass) -> ListLimit {
    if class.action() == AddressClass::LIMIT {
        limits.list_limit(class.list())
    } else if class.shadow_action() == AddressClass::LIMIT {
        limits.list_limit(class.shadow_list())
    } else {
        ListLimit::default()
    }
}

#[cfg(test)]
mod tests;
