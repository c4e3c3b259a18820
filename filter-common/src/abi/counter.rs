//! Counters by verdict and reason, named once.
//!
//! Metrics, `status` and `explain` take their names from here.

use super::assert_layout;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What became of a packet.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Verdict(pub u8);

impl Verdict {
    /// It went on to the stack.
    pub const PASS: Self = Self(0);
    /// It ended here.
    pub const DROP: Self = Self(1);
    /// It went on, but an enforced rule would have ended it.
    pub const WOULD_DROP: Self = Self(2);
    /// The local stack got a TCP reset in its place.
    pub const RESET: Self = Self(3);
    /// How many there are.
    pub const COUNT: usize = 4;
    /// Their names, by number.
    pub const NAMES: [&'static str; Self::COUNT] = ["pass", "drop", "would-drop", "reset"];

    /// The name that operators see.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.get(usize::from(self.0)).copied().unwrap_or("unknown")
    }
}

/// Why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reason(pub u8);

macro_rules! reasons {
    ($($(#[$doc:meta])* $constant:ident = $number:literal, $name:literal;)*) => {
        impl Reason {
            $($(#[$doc])* pub const $constant: Self = Self($number);)*
            /// How many there are.
            pub const COUNT: usize = [$($number),*].len();
            /// Their names, by number.
            pub const NAMES: [&'static str; Self::COUNT] = [$($name),*];
        }
    };
}

reasons! {
    /// No rule said anything.
    NO_RULE = 0, "no-rule";
    /// An allow entry of the address policy.
    ALLOWED = 1, "allowlist";
    /// Neither IPv4 nor IPv6: ARP, LLDP and the like.
    NOT_IP = 2, "not-ip";
    /// IPv6 neighbour discovery on the link, which keeps the host reachable.
    NEIGHBOUR = 3, "neighbour-discovery";
    /// The frame ends before a header does.
    TRUNCATED = 4, "truncated";
    /// More than two VLAN tags.
    VLAN_DEPTH = 5, "vlan-depth";
    /// A wrong IP version, or an IPv4 header length below five words.
    IP_HEADER = 6, "ip-header";
    /// The IP header claims more bytes than the frame has, or fewer than its own header.
    IP_LENGTH = 7, "ip-length";
    /// More than six IPv6 extension headers.
    EXTENSION_DEPTH = 8, "extension-depth";
    /// A TCP data offset below five words or beyond the segment, or a bad UDP length.
    TRANSPORT_HEADER = 9, "transport-header";
    /// A block entry of the address policy.
    BLOCKLIST = 10, "blocklist";
    /// A block verdict on the client.
    CLIENT_VERDICT = 11, "client-verdict";
    /// A throttle verdict on the client, and it went over the throttle limit.
    THROTTLE = 12, "throttle";
    /// The client went over a limit of packets.
    PACKET_LIMIT = 13, "packet-limit";
    /// The client went over a limit of new connections.
    CONNECTION_LIMIT = 14, "connection-limit";
    /// The client went over the limit profile of a list.
    LIST_LIMIT = 15, "list-limit";
    /// The client went over a limit of bytes.
    BYTE_LIMIT = 16, "byte-limit";
    /// The client went over a limit of TLS handshakes.
    HANDSHAKE_LIMIT = 17, "handshake-limit";
    /// The client has used its quota up.
    QUOTA = 18, "quota";
    /// All of a service together went over a limit.
    SERVICE_LIMIT = 19, "service-limit";
    /// A rule on the fingerprint of its ClientHello, or on why it has none.
    HELLO_RULE = 20, "hello-rule";
    /// A rule has ended its connection.
    ENDED = 21, "ended-connection";
}

impl Reason {
    /// The name that operators see.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.get(usize::from(self.0)).copied().unwrap_or("unknown")
    }
}

/// Packets and bytes.
///
/// *Units*: bytes of the whole frame, Ethernet header included.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Count {
    /// Adds another count.
    #[inline(always)]
    pub const fn add(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
    }
}

/// What one CPU has counted of one list.
///
/// *Shape*: 48 bytes, an element of the per-CPU map `LIST_COUNTERS`, by the list's number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct ListCounters {
    /// Packets that the list had its say about: whose longest prefix, priority and mode
    /// made it the one that decides.
    pub matched: Count,
    /// Those of them that it dropped, or turned into resets.
    pub dropped: Count,
    /// Those of them that it would have dropped, were it or the host enforcing.
    pub would_drop: Count,
}

assert_layout!(ListCounters, size 48, align 8);

impl ListCounters {
    /// Adds what another CPU counted.
    pub fn add(&mut self, other: &Self) {
        let mine = [&mut self.matched, &mut self.dropped, &mut self.would_drop];
        for (mine, theirs) in mine.into_iter().zip([other.matched, other.dropped, other.would_drop])
        {
            mine.add(theirs);
        }
    }
}

/// Everything one CPU has counted.
///
/// *Shape*: the one element of the per-CPU map `COUNTERS`; `by[reason][verdict]`.
///
/// *Concurrency*: each CPU writes its own copy; the daemon sums them and may see a
/// packet without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Counters {
    /// Each packet is in exactly one cell.
    pub by: [[Count; Verdict::COUNT]; Reason::COUNT],
    /// Hellos that the daemon was told of.
    pub hellos_told: u64,
    /// Hellos that the full ring buffer had no room for.
    pub hellos_lost: u64,
    /// Segments of hellos for which no local socket waits.
    pub hellos_unproven: u64,
    /// Segments of hellos that another CPU didn't let in.
    pub hellos_busy: u64,
    /// Hellos whose fingerprint found no room among those that are remembered.
    pub hellos_unremembered: u64,
    /// QUIC Initial datagrams that the daemon got a copy of.
    pub datagrams_copied: u64,
    /// Those that were too many.
    pub datagrams_over_budget: u64,
    /// Those that the full ring buffer had no room for.
    pub datagrams_lost: u64,
}

assert_layout!(
    Counters, size 1472, align 8, by at 0, hellos_told at 1408, hellos_busy at 1432,
    datagrams_lost at 1464
);

impl Default for Counters {
    fn default() -> Self {
        Self {
            by: [[Count::default(); Verdict::COUNT]; Reason::COUNT],
            hellos_told: 0,
            hellos_lost: 0,
            hellos_unproven: 0,
            hellos_busy: 0,
            hellos_unremembered: 0,
            datagrams_copied: 0,
            datagrams_over_budget: 0,
            datagrams_lost: 0,
        }
    }
}

impl Counters {
    /// Adds what another CPU counted.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.by.iter_mut().flatten().zip(other.by.iter().flatten()) {
            mine.add(*theirs);
        }
        self.hellos_told += other.hellos_told;
        self.hellos_lost += other.hellos_lost;
        self.hellos_unproven += other.hellos_unproven;
        self.hellos_busy += other.hellos_busy;
        self.hellos_unremembered += other.hellos_unremembered;
        self.datagrams_copied += other.datagrams_copied;
        self.datagrams_over_budget += other.datagrams_over_budget;
        self.datagrams_lost += other.datagrams_lost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_name_of_its_own() {
        for (i, name) in Reason::NAMES.iter().enumerate() {
            assert_eq!(Reason::NAMES.iter().position(|n| n == name), Some(i));
        }
        assert_eq!(Reason::CONNECTION_LIMIT.name(), "connection-limit");
        assert_eq!(Reason(200).name(), "unknown");
    }

    #[test]
    fn counters_of_two_cpus_add_up() {
        let mut sum = Counters::default();
        let mut one = Counters::default();
        one.by[3][1] = Count { packets: 2, bytes: 100 };
        one.hellos_lost = 7;
        sum.add(&one);
        sum.add(&one);
        assert_eq!(sum.by[3][1], Count { packets: 4, bytes: 200 });
        assert_eq!(sum.hellos_lost, 14);
    }
}
