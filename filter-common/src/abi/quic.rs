//! QUIC clients' Initial datagrams on their way to the daemon, and how many may go there.

use super::assert_layout;
use crate::gcra::Rate;
use crate::wire::address::Address;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// UDP ports of QUIC services that there can be. The configuration refuses more.
pub const QUIC_PORTS: usize = 4;

/// Bytes of a datagram that are copied at most, its UDP header included. Of a longer one, as
/// generic mode and jumbo frames bring them, the daemon sees the start.
pub const DATAGRAM_CAPACITY: u32 = 4096;

/// Bytes of the ring buffer, a power of two.
///
/// It is another than that of hellos over TCP: whoever fills this one takes nothing from those.
/// When it is full a datagram isn't copied, which is counted; it passes all the same.
pub const DATAGRAM_RING_BYTES: u32 = 2 << 20;

/// Shares of the budget, a power of two. Clients whose keyed hashes are alike have one
/// together.
pub const BUDGET_SHARES: u32 = 256;

/// What the daemon is told of a datagram.
///
/// *Shape*: 56 bytes, followed by [`copied`](Self::copied) bytes from the UDP header on.
/// Integers are in the host's byte order.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct DatagramRecord {
    /// When it came, on the clock of `bpf_ktime_get_ns`.
    pub time_ns: u64,
    /// Who sent it, or claims to.
    pub source: Address,
    /// Whom it is for.
    pub destination: Address,
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// The interface it came in by.
    pub ifindex: u32,
    /// Bytes of UDP header and payload, as the header counts them.
    pub len: u32,
    /// How many of these follow.
    pub copied: u32,
}

assert_layout!(
    DatagramRecord, size 56, align 8, source at 8, destination at 24, source_port at 40,
    ifindex at 44, copied at 52
);

/// A datagram as it is handed to the daemon.
#[repr(C)]
pub struct DatagramCopy {
    /// What is told of it.
    pub record: DatagramRecord,
    /// Its bytes.
    pub bytes: [u8; DATAGRAM_CAPACITY as usize],
}

/// How many datagrams may be copied: of everybody together, and of the clients that share a
/// part.
///
/// *Shape*: the one element of the `QUIC_BUDGET` map. All zero: none is copied.
///
/// *Concurrency*: the rates are written by the daemon when it starts, with words of zero; a
/// packet that sees half of that is copied or isn't. The words are moved by every CPU, by
/// compare-and-swap, and only for a datagram that is copied: what is over the budget reads
/// them alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct DatagramBudget {
    /// How fast all together.
    pub all_rate: Rate,
    /// How fast each share.
    pub share_rate: Rate,
    /// What all have used.
    pub all: u64,
    /// What each share has used.
    pub shares: [u64; BUDGET_SHARES as usize],
}

assert_layout!(
    DatagramBudget, size 2136, align 8, share_rate at 40, all at 80, shares at 88
);

impl Default for DatagramBudget {
    fn default() -> Self {
        Self::new_zeroed()
    }
}

/// Setting rates up is the host's work.
#[cfg(not(target_arch = "bpf"))]
impl DatagramBudget {
    /// So many datagrams a second, of which a quarter may come at once. A share has a sixteenth
    /// of that, and 16 at once at least: those of a few clients behind one address.
    #[must_use]
    pub fn new(per_sec: u32) -> Self {
        let rate = |per_sec: u32| {
            let at_once = u64::from(per_sec / 4).max(16);
            Rate::new(per_sec.into(), 1_000_000_000, at_once, Rate::FINE)
        };
        let (all_rate, share_rate) = (rate(per_sec), rate(per_sec.div_ceil(16)));
        Self { all_rate, share_rate, ..Self::default() }
    }
}
