//! The checksum of a UDP datagram.

use std::net::IpAddr;

/// UDP's number in an IP header.
pub(crate) const PROTOCOL: u64 = 17;

/// Whether the receiving stack takes a datagram, header and payload: its checksum is right,
/// absent, or left to a network card as captures taken on the sender and local peers have it.
///
/// *Source*: RFC 768, RFC 8200 section 8.1; the kernel's `udp_set_csum`.
pub(crate) fn sum_fits(addresses: [IpAddr; 2], udp: &[u8]) -> bool {
    let Some(&[a, b]) = udp.get(6..8) else {
        return false;
    };
    let ends: u64 = addresses.iter().map(|address| sum_of(*address)).sum();
    let pseudo = ends + PROTOCOL + u64::try_from(udp.len()).unwrap_or(u64::MAX);
    match u16::from_be_bytes([a, b]) {
        0 => addresses[0].is_ipv4(),
        carried => fold(pseudo + sum(udp)) == 0xffff || u64::from(carried) == fold(pseudo),
    }
}

fn sum_of(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(v4) => sum(&v4.octets()),
        IpAddr::V6(v6) => sum(&v6.octets()),
    }
}

/// The words' sum, not folded.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    let (words, odd) = bytes.as_chunks::<2>();
    let words: u64 = words.iter().map(|w| u64::from(u16::from_be_bytes(*w))).sum();
    words + odd.first().map_or(0, |&last| u64::from(last) << 8)
}

/// A sum in sixteen bits.
pub(crate) const fn fold(mut sum: u64) -> u64 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}
