//! QUIC: which datagrams may hold a client's ClientHello, and how many of these are copied.
//!
//! A hello over QUIC is encrypted with keys that anyone can derive, but not in a program for the
//! kernel. So Initial packets are copied to the daemon, and only so many of them: anybody can
//! send them, from any address.

#[cfg(not(target_arch = "bpf"))]
pub mod memory;

use crate::abi::config::HostConfig;
use crate::abi::quic::{BUDGET_SHARES, QUIC_PORTS};
use crate::decide::Tables;
use crate::gcra::Rate;
use crate::hash::mix;
use crate::limit::meter::Word;
use crate::wire::address::Address;
use crate::wire::cursor::{Packet, room};
use crate::wire::frame::Frame;
use crate::wire::header::UDP_HEADER_LEN;

/// Bytes that tell a client's Initial packet: the first one, the version, and how long the
/// receiver's name is.
pub const START_LEN: u32 = 6;

/// Bytes of payload that a client's datagram with an Initial packet has to have: servers discard
/// shorter ones.
///
/// *Source*: RFC 9000 section 14.1.
pub const MIN_PAYLOAD_LEN: u32 = 1200;

/// The length of a name that a client gives a server.
///
/// *Source*: RFC 9000 sections 7.2 and 17.2.
const NAME_LEN: core::ops::RangeInclusive<u8> = 8..=20;

const V1: u32 = 0x0000_0001;
const V2: u32 = 0x6b33_43cf;

/// What copying needs.
pub trait Datagrams {
    /// How many may be copied.
    type Budget: Budget;

    /// How many may be copied; `None` only if the map is missing, and then none is.
    fn budget(&self) -> Option<Self::Budget>;
    /// The time in nanoseconds, some milliseconds late.
    fn coarse_ns(&self) -> u64;
    /// Hands the datagram to the daemon; `false` if there is no room.
    fn copy(&self, frame: &Frame) -> bool;
    /// Counts it. Nothing comes back: neither a counter nor a full buffer changes a verdict.
    fn count(&self, copied: Copied);
}

/// Rates, and what was used of them; see [`DatagramBudget`](crate::abi::quic::DatagramBudget).
pub trait Budget {
    /// A word that several CPUs move.
    type Word: Word;

    /// How fast all together, and each share.
    fn rates(&self) -> (&Rate, &Rate);
    /// What all have used.
    fn all(&self) -> Self::Word;
    /// What a share has used; shares are below [`BUDGET_SHARES`].
    fn share(&self, share: u32) -> Self::Word;
}

/// What became of a datagram that was selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// The daemon has it.
    Told,
    /// There were too many.
    OverBudget,
    /// The ring buffer was full.
    Lost,
}

/// Whether a datagram is to be copied, by its first bytes.
///
/// *Shape*: a whole datagram for a port that the configuration names. Packets that are coalesced
/// behind another kind than Initial aren't seen; clients put theirs first.
#[inline(always)]
pub fn is_initial<P: Packet>(packet: &P, config: &HostConfig, frame: &Frame) -> bool {
    let udp = &frame.udp;
    if !is_named(&config.quic_ports, udp.destination_port)
        || udp.len < UDP_HEADER_LEN + MIN_PAYLOAD_LEN
    {
        return false;
    }
    let mut start = room();
    let offset = udp.offset + UDP_HEADER_LEN;
    packet.peek(offset, START_LEN, &mut start) && starts_initial(&start)
}

/// Whether a payload that starts with these bytes starts with a client's Initial packet of
/// version 1 or 2.
///
/// The "fixed" bit may be zero: who remembers that a server allows that may clear it, and such a
/// server reads what came.
///
/// *Source*: RFC 9000 section 17.2.2, RFC 9369 section 3.2, RFC 9287 section 3.1.
#[inline(always)]
#[must_use]
pub const fn starts_initial(start: &[u8; START_LEN as usize]) -> bool {
    let [first, a, b, c, d, name_len] = *start;
    let kind = first >> 4 & 3;
    let is_initial = match u32::from_be_bytes([a, b, c, d]) {
        V1 => kind == 0,
        V2 => kind == 1,
        _ => false,
    };
    first & LONG_HEADER != 0
        && is_initial
        && name_len >= *NAME_LEN.start()
        && name_len <= *NAME_LEN.end()
}

/// The bit that tells a long header from a short one.
const LONG_HEADER: u8 = 0x80;

/// Port 0 stands for none.
#[inline(always)]
const fn is_named(ports: &[u16; QUIC_PORTS], port: u16) -> bool {
    let [a, b, c, d] = *ports;
    port != 0 && (port == a || port == b || port == c || port == d)
}

/// Copies a datagram that was selected, if there is budget for it.
#[inline(always)]
pub fn copy<T: Tables>(tables: &T, config: &HostConfig, frame: &Frame) {
    let datagrams = tables.datagrams();
    let Some(budget) = datagrams.budget() else {
        return;
    };
    let share = share_of(config.secret, &frame.source);
    let copied = if !spend(&budget, share, datagrams.coarse_ns()) {
        Copied::OverBudget
    } else if datagrams.copy(frame) {
        Copied::Told
    } else {
        Copied::Lost
    };
    datagrams.count(copied);
}

/// The share of the budget that a client falls on: an IPv4 address or an IPv6 /64. Nobody
/// outside can aim at one.
#[inline(always)]
#[must_use]
pub const fn share_of(secret: u64, source: &Address) -> u32 {
    let client = source.client();
    // The top bits depend on every bit of the client.
    let [top, ..] = mix(mix(secret, client.high), client.low).to_be_bytes();
    top as u32
}

const _: () = assert!(BUDGET_SHARES == 1 << u8::BITS);

/// Charges a datagram to a share and to all. What either refuses costs neither.
///
/// *Concurrency*: when another CPU was faster at a word, it isn't copied either: at such a rate
/// the budget is nearly used up.
#[inline(always)]
pub fn spend<B: Budget>(budget: &B, share: u32, now_ns: u64) -> bool {
    let ((all_rate, share_rate), share, all) = (budget.rates(), budget.share(share), budget.all());
    if all_rate.burst == 0 {
        return false;
    }
    let (share_seen, all_seen) = (share.load(), all.load());
    let own = share_rate.charge(share_seen, share_rate.clock(now_ns), 1, share_rate.burst);
    let together = all_rate.charge(all_seen, all_rate.clock(now_ns), 1, all_rate.burst);
    if own.passed && together.passed {
        return share.swap(share_seen, own.word) == share_seen
            && all.swap(all_seen, together.word) == all_seen;
    }
    // What can't be is mended, or it would refuse for years.
    if !own.passed && own.word != share_seen {
        share.swap(share_seen, own.word);
    }
    if !together.passed && together.word != all_seen {
        all.swap(all_seen, together.word);
    }
    false
}

#[cfg(test)]
mod tests;
