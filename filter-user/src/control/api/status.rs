//! What the daemon is doing, and whether its rules act.

use super::{JoinedInfo, LogInfo, Traffic};
use crate::config::HostMode;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU16;

/// What the daemon is doing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The daemon's version.
    pub version: String,
    /// The version of the interface between kernel and daemon.
    pub abi: u32,
    /// Whether rules act.
    pub mode: HostMode,
    /// Seconds since the daemon started.
    pub uptime_s: u64,
    /// Whether the filter of an earlier daemon was taken over.
    pub taken_over: bool,
    /// How a ClientHello's sender is proven: `socket`, `established` or `none`.
    pub evidence: String,
    /// Where the filter is attached.
    pub interfaces: Vec<Interface>,
    /// How many entries the lists have.
    pub lists: ListSizes,
    /// Client verdicts in force.
    pub verdicts: usize,
    /// Why hellos had no fingerprint, and how often.
    pub causes: Vec<CauseEntry>,
    /// Fingerprints that are remembered.
    pub fingerprints: usize,
    /// Packets by verdict and reason, as the kernel counted them.
    pub counters: Vec<Counter>,
    /// What became of the hellos.
    pub hellos: Hellos,
    /// What became of QUIC clients' datagrams.
    pub quic: Quic,
    /// Limit profiles that refused something, or would have.
    pub limits: Vec<LimitLine>,
    /// Guards that are up: services over their threshold.
    pub guards: Vec<GuardInfo>,
    /// Access logs.
    pub logs: Vec<LogInfo>,
    /// What is remembered to join their requests with hellos.
    pub joined: JoinedInfo,
}

/// A limit profile that refused something, or would have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LimitLine {
    /// The profile.
    pub name: String,
    /// What it refused.
    pub refused: Traffic,
    /// What it would have refused, were it or the host enforcing.
    pub would_refuse: Traffic,
}

/// A service that is over its threshold: clients that proved themselves pass first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GuardInfo {
    /// The profile.
    pub name: String,
    /// Since when, in milliseconds since 1970.
    pub since_unix_ms: u64,
    /// Packets that passed since the profile was made because their client had proved itself.
    pub preferred: u64,
}

/// An interface that the filter is attached to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its index.
    pub ifindex: u32,
    /// `native` or `generic`.
    pub attach: String,
}

/// How many entries the lists have, and what they take.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ListSizes {
    /// How many lists there are.
    pub lists: usize,
    /// Entries of the list `block`.
    pub block: usize,
    /// Entries of the list `allow`.
    pub allow: usize,
    /// Entries of all lists.
    pub entries: usize,
    /// Bytes of the compiled policy in the kernel.
    pub kernel_bytes: u64,
    /// Bytes of it that are in use; the rest is room for changes.
    pub used_bytes: u64,
    /// The bound of the configuration, `policy.memory_mb`, in bytes.
    pub max_bytes: u64,
}

/// One cell of the kernel's counters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Counter {
    /// `pass`, `drop`, `would-drop` or `reset`.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// Packets.
    pub packets: u64,
    /// Bytes, Ethernet headers included.
    pub bytes: u64,
}

/// What became of the hellos.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Hellos {
    /// Hellos that the kernel told of.
    pub told: u64,
    /// Hellos that the full ring buffer had no room for.
    pub lost: u64,
    /// Segments of hellos for which no local socket waits; they count for nothing.
    pub unproven: u64,
    /// Segments of hellos that came while another CPU was at work in the same place.
    pub busy: u64,
    /// Hellos whose fingerprint found no room among those that are remembered.
    pub unremembered: u64,
    /// Hellos that were put together, since the daemon started.
    pub fingerprinted: u64,
    /// Hellos that could not be.
    pub unfingerprintable: u64,
    /// Verdicts that found no room.
    pub verdicts_refused: u64,
}

/// What became of QUIC clients' datagrams.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Quic {
    /// UDP ports that are looked at; none: QUIC isn't.
    pub ports: Vec<NonZeroU16>,
    /// Whether rules on hellos over QUIC act.
    pub verdicts: bool,
    /// Datagrams with Initial packets that the daemon got a copy of.
    pub copied: u64,
    /// Those that were more than the budget; they passed.
    pub over_budget: u64,
    /// Those that the full ring buffer had no room for; they passed.
    pub lost: u64,
    /// Those with a wrong checksum, since the daemon started.
    pub bad_checksum: u64,
    /// Initial packets that no client of a connection can have made.
    pub foreign: u64,
    /// Hellos that were put together.
    pub fingerprinted: u64,
    /// Hellos that could not be.
    pub unfingerprintable: u64,
    /// Events that were too many to be told.
    pub untold: u64,
    /// Addresses that a rule would have blocked if there had been room.
    pub verdicts_refused: u64,
}

/// Switches between counting and acting.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetMode {
    /// Whether rules act.
    pub mode: HostMode,
}

/// A cause for which hellos have no fingerprint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CauseEntry {
    /// Its name, as in rules.
    pub cause: String,
    /// Hellos that had none for it.
    pub hellos: u64,
    /// Distinct clients, estimated.
    pub clients: u64,
}
