//! The headers on the wire, and numbers that must not be mixed up.

use zerocopy::network_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

/// What an Ethernet header or a VLAN tag says follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd);

    /// 802.1Q and 802.1ad tags, and the number that QinQ used before it had one.
    #[inline(always)]
    #[must_use]
    pub const fn is_vlan(self) -> bool {
        matches!(self.0, 0x8100 | 0x88a8 | 0x9100)
    }
}

/// What an IP header says follows.
///
/// *Source*: IANA, protocol numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpProto(pub u8);

impl IpProto {
    /// TCP.
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);
    /// ICMP.
    pub const ICMP: Self = Self(1);
    /// ICMP for IPv6.
    pub const ICMPV6: Self = Self(58);
    /// The IPv6 fragment header.
    pub const FRAGMENT: Self = Self(44);
    /// The `IPsec` authentication header, whose length counts in words of four bytes.
    pub const AUTHENTICATION: Self = Self(51);

    /// IPv6 extension headers that lead to another header: hop-by-hop, routing,
    /// fragment, authentication, destination options, mobility, HIP, shim6. All but
    /// fragment and authentication count their length in words of eight bytes.
    #[inline(always)]
    #[must_use]
    pub const fn is_extension(self) -> bool {
        matches!(self.0, 0 | 43 | 44 | 51 | 60 | 135 | 139 | 140)
    }
}

/// Ethernet II.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Ethernet {
    /// Destination address.
    pub destination: [u8; 6],
    /// Source address.
    pub source: [u8; 6],
    /// An [`EtherType`].
    pub ether_type: U16,
}

/// 802.1Q, behind the type that announced it.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Vlan {
    /// Priority, drop eligibility and VLAN.
    pub control: U16,
    /// An [`EtherType`].
    pub ether_type: U16,
}

/// IPv4 without its options.
///
/// *Source*: RFC 791 section 3.1.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Ipv4 {
    /// Version, and header length in words of four bytes.
    pub version_ihl: u8,
    /// DSCP and ECN.
    pub traffic_class: u8,
    /// Bytes of header and payload.
    pub total_len: U16,
    /// Tells fragments of different packets apart.
    pub identification: U16,
    /// Flags, and fragment offset in words of eight bytes.
    pub flags_offset: U16,
    /// Hops left.
    pub ttl: u8,
    /// An [`IpProto`].
    pub protocol: u8,
    /// Header checksum.
    pub checksum: U16,
    /// Source address.
    pub source: U32,
    /// Destination address.
    pub destination: U32,
}

/// IPv6's fixed header.
///
/// *Source*: RFC 8200 section 3.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Ipv6 {
    /// Version, traffic class and flow label.
    pub version_flow: U32,
    /// Bytes behind this header.
    pub payload_len: U16,
    /// An [`IpProto`].
    pub next_header: u8,
    /// Hops left.
    pub hop_limit: u8,
    /// Source address, first half.
    pub source_high: U64,
    /// Source address, second half.
    pub source_low: U64,
    /// Destination address, first half.
    pub destination_high: U64,
    /// Destination address, second half.
    pub destination_low: U64,
}

/// The start of each IPv6 extension header.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Extension {
    /// An [`IpProto`].
    pub next_header: u8,
    /// Length, in words that depend on the header.
    pub len: u8,
}

/// What is left of an IPv6 fragment header behind its [`Extension`].
///
/// *Source*: RFC 8200 section 4.5.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct FragmentTail {
    /// Offset in words of eight bytes, two reserved bits, and "more follow".
    pub offset_more: U16,
    /// Tells fragments of different packets apart.
    pub identification: U32,
}

/// TCP without its options.
///
/// *Source*: RFC 9293 section 3.1.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct TcpHeader {
    /// Source port.
    pub source_port: U16,
    /// Destination port.
    pub destination_port: U16,
    /// Sequence number of the first byte, or of the SYN.
    pub sequence: U32,
    /// Acknowledgement number.
    pub acknowledgement: U32,
    /// Header length in words of four bytes, in the upper half.
    pub data_offset: u8,
    /// [`TcpFlags`].
    pub flags: u8,
    /// Receive window.
    pub window: U16,
    /// Checksum.
    pub checksum: U16,
    /// Urgent pointer.
    pub urgent: U16,
}

/// TCP's control bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// Whether the packet asks for a new connection: SYN without ACK.
    #[inline(always)]
    #[must_use]
    pub const fn opens(self) -> bool {
        self.0 & 0b1_0010 == 0b0_0010
    }

    /// Whether SYN is set, with or without ACK.
    #[inline(always)]
    #[must_use]
    pub const fn synchronizes(self) -> bool {
        self.0 & 0b0_0010 != 0
    }

    /// Whether the acknowledgement number means something.
    #[inline(always)]
    #[must_use]
    pub const fn acknowledges(self) -> bool {
        self.0 & 0b1_0000 != 0
    }

    /// Whether a byte of the stream is urgent: URG.
    #[inline(always)]
    #[must_use]
    pub const fn is_urgent(self) -> bool {
        self.0 & 0b10_0000 != 0
    }

    /// Whether the packet ends a connection at once: RST.
    #[inline(always)]
    #[must_use]
    pub const fn resets(self) -> bool {
        self.0 & 0b0_0100 != 0
    }
}

/// UDP.
///
/// *Source*: RFC 768.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct UdpHeader {
    /// Source port.
    pub source_port: U16,
    /// Destination port.
    pub destination_port: U16,
    /// Bytes of header and payload.
    pub len: U16,
    /// Checksum.
    pub checksum: U16,
}

/// The shortest TCP header, in bytes.
pub const TCP_HEADER_LEN: u8 = 20;
/// The UDP header, in bytes.
pub const UDP_HEADER_LEN: u32 = 8;
