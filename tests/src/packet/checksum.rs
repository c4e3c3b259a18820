//! The checksum of the Internet protocols, RFC 1071.

/// The sum of words of two bytes, the last filled up with a zero.
pub(super) fn sum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks(2).map(|word| match *word {
        [high, low] => u64::from(high) << 8 | u64::from(low),
        [last] => u64::from(last) << 8,
        _ => 0,
    });
    words.sum()
}

/// The sum in one word, in one's complement.
pub(super) fn fold(sum: u64) -> u16 {
    u16::try_from(sum).unwrap_or_else(|_| fold((sum & 0xffff) + (sum >> 16)))
}
