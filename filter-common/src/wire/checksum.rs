//! TCP's checksum, verified where a segment is put together.

use super::header::IpProto;

/// What a segment's checksum says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// The bytes are those that were sent.
    Valid,
    /// Only the pseudo-header is summed: the sender left the rest to a network card, as
    /// local peers and captures taken on the sender do.
    Partial,
    /// The receiving stack would drop this segment.
    Bad,
}

/// Checks a whole TCP segment.
///
/// *Shape*: addresses in network order, IPv4 mapped; `segment` starts with the TCP
/// header and is complete.
///
/// *Source*: RFC 9293 section 3.1, RFC 1071; the kernel's `__tcp_v4_send_check` for the
/// partial form.
#[must_use]
pub fn verify_tcp(source: &[u8; 16], destination: &[u8; 16], segment: &[u8]) -> Checksum {
    let pseudo = pseudo_header(source, destination, segment.len());
    let carried = segment.get(16..18).map_or(0, sum);
    judge(pseudo, sum(segment), carried)
}

/// What the sums of the pseudo-header and of the segment say, beside the checksum that the
/// segment carries.
#[inline(always)]
#[must_use]
pub const fn judge(pseudo: u64, segment: u64, carried: u64) -> Checksum {
    if fold(pseudo + segment) == 0xffff {
        return Checksum::Valid;
    }
    if carried == fold(pseudo) { Checksum::Partial } else { Checksum::Bad }
}

/// The pseudo-header's sum. A mapped address adds what IPv4's four bytes add, and
/// `ffff`, which is zero in one's complement.
fn pseudo_header(source: &[u8; 16], destination: &[u8; 16], len: usize) -> u64 {
    let len = u64::try_from(len).unwrap_or(u64::MAX);
    sum(source) + sum(destination) + len + u64::from(IpProto::TCP.0)
}

fn sum(bytes: &[u8]) -> u64 {
    let (words, odd) = bytes.as_chunks::<2>();
    let words: u64 = words.iter().map(|w| u64::from(u16::from_be_bytes(*w))).sum();
    words + odd.first().map_or(0, |&last| u64::from(last) << 8)
}

/// A sum with its carries added in.
#[inline(always)]
#[must_use]
pub const fn fold(sum: u64) -> u64 {
    let sum = (sum >> 32) + (sum & 0xffff_ffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    (sum >> 16) + (sum & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn segment(fill: impl Fn(u64) -> u64) -> Vec<u8> {
        let mut bytes = std::vec![7_u8; 33];
        bytes[16..18].fill(0);
        let (a, b) = ends();
        let value = fill(pseudo_header(&a, &b, bytes.len()) + sum(&bytes));
        bytes[16..18].copy_from_slice(&u16::try_from(value).unwrap().to_be_bytes());
        bytes
    }

    fn ends() -> ([u8; 16], [u8; 16]) {
        let mapped = |a: [u8; 4]| std::net::Ipv4Addr::from(a).to_ipv6_mapped().octets();
        (mapped([192, 0, 2, 1]), mapped([198, 51, 100, 7]))
    }

    #[test]
    fn a_right_checksum_is_valid_and_a_changed_byte_is_bad() {
        let (a, b) = ends();
        let mut bytes = segment(|total| 0xffff - fold(total));
        assert_eq!(verify_tcp(&a, &b, &bytes), Checksum::Valid);
        bytes[25] ^= 1;
        assert_eq!(verify_tcp(&a, &b, &bytes), Checksum::Bad);
    }

    #[test]
    fn the_sum_of_the_pseudo_header_alone_is_partial() {
        let (a, b) = ends();
        let bytes = segment(|_| fold(pseudo_header(&a, &b, 33)));
        assert_eq!(verify_tcp(&a, &b, &bytes), Checksum::Partial);
    }

    #[test]
    fn a_segment_of_no_bytes_does_not_panic() {
        let (a, b) = ends();
        let _ = verify_tcp(&a, &b, &[]);
    }
}
