//! The switches that the program reads at each packet.

use super::assert_layout;
use super::quic::QUIC_PORTS;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Host-wide settings.
///
/// *Shape*: 64 bytes, the one element of the `CONFIG` map.
///
/// *Concurrency*: the daemon writes it whole while packets flow. A packet may see one
/// field's old and another's new value; each is meaningful alone.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct HostConfig {
    /// [`HostConfig::MONITOR`] or [`HostConfig::ENFORCE`].
    pub mode: u32,
    /// Zero as long as no verdict was ever written: neither index nor map is asked then.
    /// Set before the first verdict is, and never taken back.
    pub verdicts: u32,
    /// Keys the flow hints and the index of verdicts, so that nobody outside can aim at a
    /// slot. It stays once it is set: what it keys lies in maps that outlive the daemon.
    pub secret: u64,
    /// Keys the meters, as [`HostConfig::secret`] keys the hints. They stay as well.
    pub limit_secrets: [u64; 2],
    /// A bit for each profile: which of its two copies counts.
    pub limit_copies: u64,
    /// Not zero when some profile is guarded: then it is learned who has proved himself.
    pub guarded: u64,
    /// What makes a hello evidence: [`HostConfig::SOCKET`], or zero for nothing; or
    /// [`HostConfig::OFF`].
    pub evidence: u32,
    /// A [bit](super::rule::RuleKey::bit) for each kind of rule on hellos that there is.
    pub rule_kinds: u32,
    /// UDP ports whose clients' QUIC Initial packets the daemon gets copies of; zeroes stand for
    /// none.
    pub quic_ports: [u16; QUIC_PORTS],
}

assert_layout!(HostConfig, size 64, align 8, mode at 0, secret at 8, limit_secrets at 16, quic_ports at 56);

impl HostConfig {
    /// Every rule only counts. Zero, so that a program without a daemon drops nothing.
    pub const MONITOR: u32 = 0;
    /// Rules act as their own mode says.
    pub const ENFORCE: u32 = 1;
    /// A local TCP socket has to wait for a hello's very bytes. What nobody waits for is not
    /// looked at.
    pub const SOCKET: u32 = 1;
    /// Hellos aren't looked at.
    pub const OFF: u32 = 2;
}
