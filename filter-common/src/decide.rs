//! The life of a packet: the one place that knows the order of checks.
//!
//! 1. parse; what has no address passes, counted by cause
//! 2. address policy; allow wins and ends the walk
//! 3. what was decided about the client, or a prefix around it
//! 4. the limits of the client and of the service
//! 5. the ClientHello, recorded; over QUIC the datagram, copied
//! 6. pass
//!
//! A rule in shadow doesn't end the walk: a later rule may still drop the packet. If none
//! does, the first that would have is what the packet is counted under.

use crate::abi::Mode;
use crate::abi::address::AddressClass;
use crate::abi::client::ClientVerdict;
use crate::abi::config::HostConfig;
use crate::abi::counter::{Reason, Verdict};
use crate::abi::quic::QUIC_PORTS;
use crate::abi::width::VerdictKey;
use crate::hello::{self, FlowRef, Hellos};
use crate::limit::{self, Limits};
use crate::quic::{self, Datagrams};
use crate::verdict::{Clock, Standing, standing};
use crate::wire::address::Address;
use crate::wire::cursor::Packet;
use crate::wire::frame::{self, Frame, Kind};
use core::hint::black_box;

/// The look-ups that [`decide`] needs. The program implements them on maps, the host on
/// plain memory.
pub trait Tables {
    /// What limits need.
    type Limits: Limits;
    /// A flow's slot.
    type Flow: FlowRef;
    /// What putting hellos together needs.
    type Hellos: Hellos;
    /// What copying datagrams needs.
    type Datagrams: Datagrams;

    /// What limits need.
    fn limits(&self) -> &Self::Limits;
    /// The host's settings; `None` only if the map is missing, and then nothing drops.
    fn config(&self) -> Option<&HostConfig>;
    /// What the address policy says of an address now; all zero if it says nothing.
    fn address_class(&self, address: &Address) -> AddressClass;
    /// The [`Width::bit`](crate::abi::width::Width)s of the verdicts in a bucket, expired
    /// ones too; a bit that is set without a verdict only costs a look-up.
    fn verdict_widths(&self, bucket: u32) -> u64;
    /// What was decided about exactly this prefix, expired or not; all zero if nothing
    /// was.
    fn verdict(&self, key: &VerdictKey) -> ClientVerdict;
    /// The slot that a flow's hash falls on.
    fn flow(&self, hash: u64) -> Option<Self::Flow>;
    /// What putting hellos together needs.
    fn hellos(&self) -> &Self::Hellos;
    /// What copying datagrams needs.
    fn datagrams(&self) -> &Self::Datagrams;
    /// A segment was found to belong to the hello that starts at this sequence number.
    #[inline(always)]
    fn selected(&self, frame: &Frame, stream_start: u32) {
        let _ = (frame, stream_start);
    }
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Pass, drop, would-drop or reset.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
}

impl Decision {
    /// What addresses alone decide is through: [`decide_limit`] goes on, once for each limit.
    /// (Each of the three parts is a program of its own in the kernel: the verifier forgets
    /// what led to it, and ordinary packets don't carry the weight of the others.)
    pub const LIMIT: Self = Self { verdict: Verdict::PASS, reason: Reason(u8::MAX) };
    /// The frame may belong to a ClientHello, over TCP or QUIC, and every check before those of hellos is
    /// through: [`decide_hello`] goes on.
    pub const HELLO: Self = Self { verdict: Verdict::PASS, reason: Reason(u8::MAX - 1) };

    const fn pass(reason: Reason) -> Self {
        Self { verdict: Verdict::PASS, reason }
    }

    const fn drop(reason: Reason) -> Self {
        Self { verdict: Verdict::DROP, reason }
    }

    /// Whether the packet ended here, and a list did it.
    #[inline(always)]
    #[must_use]
    pub fn is_ended_by_list(&self) -> bool {
        let by_list = self.reason == Reason::BLOCKLIST || self.reason == Reason::LIST_LIMIT;
        let ended = self.verdict == Verdict::DROP || self.verdict == Verdict::RESET;
        ended && by_list
    }
}

/// Decides about a frame, as far as its addresses do. What was parsed of it is left in `frame`.
#[inline(always)]
pub fn decide<P: Packet, T: Tables>(packet: &P, tables: &T, frame: &mut Frame) -> Decision {
    frame::parse(packet, frame);
    if matches!(frame.kind, Kind::Unaddressed | Kind::Neighbour) {
        return Decision::pass(frame.reason);
    }
    let Some(config) = tables.config() else {
        return Decision::pass(frame.reason);
    };
    frame.monitor = u8::from(config.mode != HostConfig::ENFORCE);
    (frame.evidence, frame.is_fingerprinted) = (0, 0);
    frame.class = tables.address_class(&frame.source);
    // However it was found, from here on it is what stands in the frame.
    let frame = black_box(frame);
    let class = frame.class;
    if class.action() == AddressClass::ALLOW {
        return Decision::pass(Reason::ALLOWED);
    }
    if class.action() == AddressClass::BLOCK {
        frame.refused_by = class.list();
        if refuse(frame, Reason::BLOCKLIST, Mode::ENFORCE.0) {
            return Decision::drop(Reason::BLOCKLIST);
        }
    } else if class.shadow_action() == AddressClass::BLOCK {
        frame.refused_by = class.shadow_list();
        refuse(frame, Reason::BLOCKLIST, Mode::SHADOW.0);
    }
    let standing = find_standing(tables, config, frame);
    if standing.is_blocked() && refuse(frame, Reason::CLIENT_VERDICT, standing.block_mode()) {
        return Decision::drop(Reason::CLIENT_VERDICT);
    }
    limit::plan(tables.limits(), standing, frame);
    let frame = black_box(frame);
    // Reading on in the packet is the next program's: the verifiers of older kernels would follow
    // it from each of the paths that lead here.
    let may_be_initial = frame.kind == Kind::Udp && config.quic_ports != [0; QUIC_PORTS];
    if frame.kind == Kind::Tcp || may_be_initial || limit::has_steps(frame) {
        frame.lost = NOT_BEGUN;
        return Decision::LIMIT;
    }
    passed(frame)
}

/// In the place of how often another CPU was faster at a meter: no limit was met yet.
const NOT_BEGUN: u8 = u8::MAX;

/// Goes on with a frame for which [`Decision::LIMIT`] was said: meets one limit, if there is one.
#[inline(always)]
pub fn decide_limit<P: Packet, T: Tables>(packet: &P, tables: &T, frame: &mut Frame) -> Decision {
    let Some(config) = tables.config() else {
        return Decision::pass(frame.reason);
    };
    if frame.lost == NOT_BEGUN {
        frame.lost = 0;
        if frame.kind == Kind::Tcp {
            frame.hello = hello::find(packet, frame);
        } else if frame.kind == Kind::Udp && quic::is_initial(packet, config, frame) {
            frame.kind = Kind::Initial;
        }
    }
    let frame = black_box(frame);
    if limit::has_steps(frame) && !limit::step(tables.limits(), frame) {
        return Decision::LIMIT;
    }
    let frame = black_box(frame);
    if frame.refused != Reason::NO_RULE {
        // Of a limit's refusal the hello's own place knows nothing.
        if frame.is_fingerprinted != 0 {
            hello::end(tables, frame);
        }
        return Decision { verdict: frame.refusal, reason: frame.refused };
    }
    if frame.is_fingerprinted != 0 {
        return passed(frame);
    }
    settle(tables, config, frame)
}

/// What becomes of a frame that no limit refused.
#[inline(always)]
fn settle<T: Tables>(tables: &T, config: &HostConfig, frame: &mut Frame) -> Decision {
    if frame.kind == Kind::Tcp {
        if config.guarded != 0 {
            limit::learn(tables.limits(), frame);
        }
        let frame = black_box(&mut *frame);
        if config.evidence != HostConfig::OFF && hello::select(tables, config, frame) {
            return Decision::HELLO;
        }
    } else if frame.kind == Kind::Initial {
        return Decision::HELLO;
    }
    passed(frame)
}

/// Goes on with a frame for which [`Decision::HELLO`] was said.
#[inline(always)]
pub fn decide_hello<T: Tables>(tables: &T, frame: &mut Frame) -> Decision {
    if let Some(config) = tables.config() {
        if frame.kind == Kind::Initial {
            quic::copy(tables, config, frame);
            return passed(frame);
        }
        hello::observe(tables, config, frame);
    }
    if frame.refused != Reason::NO_RULE {
        return Decision { verdict: frame.refusal, reason: frame.refused };
    }
    if frame.is_fingerprinted != 0 && limit::has_steps(frame) {
        return Decision::LIMIT;
    }
    passed(frame)
}

/// Decides about a frame from beginning to end. (The kernel's programs go on with one another.)
#[cfg(not(target_arch = "bpf"))]
#[must_use]
pub fn decide_whole<P: Packet, T: Tables>(packet: &P, tables: &T, frame: &mut Frame) -> Decision {
    let mut decision = decide(packet, tables, frame);
    loop {
        decision = match decision {
            Decision::LIMIT => decide_limit(packet, tables, frame),
            Decision::HELLO => decide_hello(tables, frame),
            decided => return decided,
        };
    }
}

/// A rule wants the packet dropped. `true` when it is.
#[inline(always)]
fn refuse(frame: &mut Frame, reason: Reason, mode: u8) -> bool {
    if frame.monitor == 0 && Mode(mode) != Mode::SHADOW {
        return true;
    }
    if frame.shadowed == Reason::NO_RULE {
        frame.shadowed = reason;
    }
    false
}

/// What was decided about the client, or a prefix around it.
#[inline(always)]
fn find_standing<T: Tables>(tables: &T, config: &HostConfig, frame: &mut Frame) -> Standing {
    if config.verdicts == 0 {
        return Standing::default();
    }
    let mut clock = Clock::new(tables);
    let standing = standing(tables, config.secret, &frame.source, &mut clock);
    frame.now_ns = clock.read_ns();
    standing
}

/// The packet went through every check.
#[inline(always)]
#[must_use]
pub fn passed(frame: &Frame) -> Decision {
    if frame.shadowed == Reason::NO_RULE {
        Decision::pass(frame.reason)
    } else {
        Decision { verdict: Verdict::WOULD_DROP, reason: frame.shadowed }
    }
}

#[cfg(test)]
pub(crate) mod tests;
