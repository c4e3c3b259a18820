//! The life of a packet: the one place that knows the order of checks.
//!
//! 1. parse; what has no address passes, counted by cause
//! 2. address policy; allow wins and ends the walk
//! 3. what was decided about the client, or a prefix around it
//! 4. the client's limits
//! 5. the ClientHello, recorded
//! 6. pass
//!
//! A rule in shadow doesn't end the walk: a later rule may still drop the packet. If none
//! does, the first that would have is what the packet is counted under.

use crate::abi::Mode;
use crate::abi::address::AddressClass;
use crate::abi::client::{ClientKey, ClientVerdict, Meter};
use crate::abi::config::HostConfig;
use crate::abi::counter::{Reason, Verdict};
use crate::abi::width::VerdictKey;
use crate::gcra::Limit;
use crate::hello::{self, FlowRef};
use crate::verdict::{Clock, Standing, standing};
use crate::wire::address::Address;
use crate::wire::cursor::Packet;
use crate::wire::frame::{self, Frame, Kind};
use core::hint::black_box;

/// The look-ups that [`decide`] needs. The program implements them on maps, the host on
/// plain memory.
pub trait Tables {
    /// A client's meters.
    type Meters: Meters;
    /// A flow's slot.
    type Flow: FlowRef;

    /// The host's settings; `None` only if the map is missing, and then nothing drops.
    fn config(&self) -> Option<&HostConfig>;
    /// What the address policy says of an address now; all zero if it says nothing.
    fn address_class(&self, address: &Address) -> AddressClass;
    /// The limit of a list's clients; all zero if it has none.
    fn list_limit(&self, list: u16) -> Limit;
    /// The [`Width::bit`](crate::abi::width::Width)s of the verdicts in a bucket, expired
    /// ones too; a bit that is set without a verdict only costs a look-up.
    fn verdict_widths(&self, bucket: u32) -> u64;
    /// What was decided about exactly this prefix, expired or not; all zero if nothing
    /// was.
    fn verdict(&self, key: &VerdictKey) -> ClientVerdict;
    /// The client's meters, made at the first call; `None` when there is no room.
    fn meters(&self, client: &ClientKey) -> Option<Self::Meters>;
    /// The slot that a flow's hash falls on.
    fn flow(&self, hash: u64) -> Option<Self::Flow>;
    /// Nanoseconds on the clock of `bpf_ktime_get_ns`.
    fn now_ns(&self) -> u64;
    /// Copies a TCP segment to whoever puts hellos together; the hello starts, or may
    /// start, at the sequence number `stream_start`. Nothing comes back: a full buffer
    /// can't change a verdict.
    fn record(&self, frame: &Frame, stream_start: u32);
}

/// A client's meters, wherever they lie.
pub trait Meters {
    /// Charges one unit; `false` when the limit refuses it.
    fn charge(&self, meter: Meter, limit: &Limit, now_ns: u64) -> bool;
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Pass, drop or would-drop.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
}

impl Decision {
    const fn pass(reason: Reason) -> Self {
        Self { verdict: Verdict::PASS, reason }
    }

    const fn drop(reason: Reason) -> Self {
        Self { verdict: Verdict::DROP, reason }
    }

    /// Whether the packet was dropped, and a list did it.
    #[inline(always)]
    #[must_use]
    pub fn is_dropped_by_list(&self) -> bool {
        let by_list = self.reason == Reason::BLOCKLIST || self.reason == Reason::LIST_LIMIT;
        self.verdict == Verdict::DROP && by_list
    }
}

/// Decides about a frame. What was parsed of it is left in `frame`.
#[inline(always)]
pub fn decide<P: Packet, T: Tables>(packet: &P, tables: &T, frame: &mut Frame) -> Decision {
    frame::parse(packet, frame);
    if matches!(frame.kind, Kind::Unaddressed | Kind::Neighbour) {
        return Decision::pass(frame.reason);
    }
    let Some(config) = tables.config() else {
        return Decision::pass(frame.reason);
    };
    let monitor = config.mode != HostConfig::ENFORCE;
    frame.class = tables.address_class(&frame.source);
    // However it was found, from here on it is what stands in the frame.
    let frame = black_box(frame);
    let class = frame.class;
    if class.action() == AddressClass::ALLOW {
        return Decision::pass(Reason::ALLOWED);
    }
    let mut walk = Walk { monitor, frame };
    if class.action() == AddressClass::BLOCK {
        walk.frame.refused_by = class.list();
        if walk.refuse(Reason::BLOCKLIST, Mode::ENFORCE.0) {
            return Decision::drop(Reason::BLOCKLIST);
        }
    } else if class.shadow_action() == AddressClass::BLOCK {
        walk.frame.refused_by = class.shadow_list();
        walk.refuse(Reason::BLOCKLIST, Mode::SHADOW.0);
    }
    let refused = check_client(tables, config, class, &mut walk);
    if refused != NOTHING {
        return Decision::drop(refused);
    }
    if frame.kind == Kind::Tcp {
        hello::observe(packet, tables, config.secret, frame);
    }
    passed(frame)
}

/// Stands for "no rule has refused", where an `Option` would be half undefined.
const NOTHING: Reason = Reason::NO_RULE;

/// A frame on its way through the rules.
struct Walk<'a> {
    monitor: bool,
    frame: &'a mut Frame,
}

impl Walk<'_> {
    /// A rule wants the packet dropped. `true` when it is.
    #[inline(always)]
    fn refuse(&mut self, reason: Reason, mode: u8) -> bool {
        if !self.monitor && Mode(mode) != Mode::SHADOW {
            return true;
        }
        if self.frame.shadowed == NOTHING {
            self.frame.shadowed = reason;
        }
        false
    }
}

/// The packet went through every check.
#[inline(always)]
fn passed(frame: &Frame) -> Decision {
    if frame.shadowed == NOTHING {
        Decision::pass(frame.reason)
    } else {
        Decision { verdict: Verdict::WOULD_DROP, reason: frame.shadowed }
    }
}

/// Client verdict and limits: the reason to drop, or [`NOTHING`].
#[inline(always)]
fn check_client<T: Tables>(
    tables: &T,
    config: &HostConfig,
    class: AddressClass,
    walk: &mut Walk,
) -> Reason {
    let frame = &walk.frame;
    let client = frame.source.client();
    let mut clock = Clock::new(tables);
    let standing = if config.verdicts == 0 {
        Standing::default()
    } else {
        standing(tables, config.secret, &frame.source, &mut clock)
    };
    let [packets, connections, throttle] = &config.limits;
    let opens = frame.kind == Kind::Tcp && frame.tcp.flags.opens();
    let held = class.action() == AddressClass::LIMIT;
    let by_list = if held {
        tables.list_limit(class.list())
    } else if class.shadow_action() == AddressClass::LIMIT {
        tables.list_limit(class.shadow_list())
    } else {
        Limit::default()
    };
    let by_host = packets.is_on() && !held;
    let metered = by_host || by_list.is_on() || (opens && connections.is_on());
    if standing.is_blocked() && walk.refuse(Reason::CLIENT_VERDICT, standing.block_mode()) {
        return Reason::CLIENT_VERDICT;
    }
    let throttled = standing.is_throttled() && throttle.is_on();
    if !metered && !throttled {
        return NOTHING;
    }
    let Some(meters) = tables.meters(&client) else {
        return NOTHING;
    };
    let now_ns = clock.now_ns();
    let over = |meter, limit: &Limit| !meters.charge(meter, limit, now_ns);
    if throttled
        && over(Meter::THROTTLE, throttle)
        && walk.refuse(Reason::THROTTLE, standing.throttle_mode())
    {
        return Reason::THROTTLE;
    }
    if by_list.is_on() && over(Meter::LIST, &by_list) {
        walk.frame.refused_by = if held { class.list() } else { class.shadow_list() };
        let mode = if held { by_list.mode() } else { Mode::SHADOW.0 };
        if walk.refuse(Reason::LIST_LIMIT, mode) {
            return Reason::LIST_LIMIT;
        }
    }
    if by_host && over(Meter::PACKETS, packets) && walk.refuse(Reason::PACKET_LIMIT, packets.mode())
    {
        return Reason::PACKET_LIMIT;
    }
    if opens
        && connections.is_on()
        && over(Meter::CONNECTIONS, connections)
        && walk.refuse(Reason::CONNECTION_LIMIT, connections.mode())
    {
        return Reason::CONNECTION_LIMIT;
    }
    NOTHING
}

#[cfg(test)]
pub(crate) mod tests;
