//! What Ethernet and IP headers call what follows them.

/// The ether type of an 802.1Q tag.
pub const VLAN: u16 = 0x8100;
/// The ether type of an 802.1ad tag.
pub const SERVICE_VLAN: u16 = 0x88a8;

/// IPv6 hop-by-hop options.
pub const HOP_BY_HOP: u8 = 0;
/// ICMP for IPv4.
pub const ICMP: u8 = 1;
/// TCP.
pub const TCP: u8 = 6;
/// UDP.
pub const UDP: u8 = 17;
/// IPv6 routing header.
pub const ROUTING: u8 = 43;
/// IPv6 fragment header.
pub const FRAGMENT: u8 = 44;
/// An encapsulated payload, which hides what follows.
pub const ESP: u8 = 50;
/// The authentication header.
pub const AUTHENTICATION: u8 = 51;
/// ICMP for IPv6.
pub const ICMP_V6: u8 = 58;
/// IPv6 "no next header".
pub const NONE: u8 = 59;
/// IPv6 destination options.
pub const DESTINATION: u8 = 60;
/// IPv6 mobility.
pub const MOBILITY: u8 = 135;
/// Host identity protocol.
pub const HIP: u8 = 139;
/// Shim6.
pub const SHIM6: u8 = 140;
