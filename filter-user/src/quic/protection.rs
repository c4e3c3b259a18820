//! Taking the protection off Initial packets.

use super::connection_id::ConnectionId;
use super::packet::Packet;
use super::version::Version;
use bytes::Bytes;
use rustls::Side;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::quic::{DirectionalKeys, Keys};
use std::fmt;

/// The keys of a client's Initial packets.
///
/// *Source*: RFC 9001 section 5.2.
pub(super) struct ClientKeys(DirectionalKeys);

/// A packet without its protection.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) number: u64,
    /// Its frames.
    pub(super) payload: Bytes,
}

/// Bytes from the start of the packet number to the sample of header protection.
const SAMPLE_DISTANCE: usize = 4;

impl ClientKeys {
    /// The keys that derive from the connection ID that a client chose for the server.
    pub(super) fn derive(version: Version, destination: &ConnectionId) -> Option<Self> {
        let suite = TLS13_AES_128_GCM_SHA256.tls13()?;
        let (algorithm, id) = (suite.quic?, destination.as_bytes());
        let keys = Keys::initial(version.for_keys(), suite, algorithm, id, Side::Server);
        Some(Self(keys.remote))
    }

    /// Takes the protection off; `None` if the packet wasn't made with these keys.
    ///
    /// *Shape*: `largest` is the largest packet number that was seen with them.
    ///
    /// *Source*: RFC 9001 sections 5.3 and 5.4.
    pub(super) fn open(&self, packet: &Packet, largest: Option<u64>) -> Option<Opened> {
        let mut bytes = packet.bytes.to_vec();
        let sample_at = packet.number_at + SAMPLE_DISTANCE;
        let (head, tail) = bytes.split_at_mut_checked(sample_at)?;
        let sample = tail.get(..self.0.header.sample_len())?;
        let (first, rest) = head.split_first_mut()?;
        let number = rest.get_mut(packet.number_at.checked_sub(1)?..)?;
        self.0.header.decrypt_in_place(sample, first, number).ok()?;
        let number_len = usize::from(*first & 3) + 1;
        let number = full_number(number.get(..number_len)?, largest);
        let header_len = packet.number_at + number_len;
        let (header, payload) = bytes.split_at_mut_checked(header_len)?;
        let len = self.0.packet.decrypt_in_place(number, header, payload).ok()?.len();
        Some(Opened { number, payload: Bytes::from(bytes).slice(header_len..header_len + len) })
    }
}

/// The whole of a packet number whose last bytes were sent.
///
/// *Source*: RFC 9000 appendix A.3.
fn full_number(bytes: &[u8], largest: Option<u64>) -> u64 {
    let truncated = bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
    let Some(largest) = largest else {
        return truncated;
    };
    let window = 1_u64 << (8 * bytes.len());
    let expected = largest + 1;
    let candidate = expected & !(window - 1) | truncated;
    if candidate + window / 2 <= expected {
        return candidate + window;
    }
    if candidate > expected + window / 2 && candidate >= window {
        return candidate - window;
    }
    candidate
}

impl fmt::Debug for ClientKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKeys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_nearest_to_the_expected_one_is_meant() {
        // RFC 9000 appendix A.3.
        assert_eq!(full_number(&[0x9b, 0x32], Some(0xa82f_30ea)), 0xa82f_9b32);
        assert_eq!(full_number(&[0], None), 0);
        assert_eq!(full_number(&[0], Some(255)), 256);
        assert_eq!(full_number(&[0xff], Some(256)), 255);
        assert_eq!(full_number(&[0xff], Some(3)), 255);
        assert_eq!(full_number(&[0xff; 4], Some(u64::from(u32::MAX))), u64::from(u32::MAX));
    }
}
