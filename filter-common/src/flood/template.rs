//! A plan from a frame.

use super::{FloodPlan, HEADER_LEN, HEADER_WORDS};
use std::ops::Range;
use std::vec;

const ETHER_TYPE: Range<usize> = 12..14;
const NETWORK: usize = 14;
const TRANSPORT: usize = NETWORK + 20;
const PROTOCOL: usize = NETWORK + 9;
const LEN: Range<usize> = NETWORK + 2..NETWORK + 4;

/// What each frame has of its own: the IPv4 header's checksum and source, then the
/// transport's port, sequence number and checksum.
const OWN_NETWORK: Range<usize> = NETWORK + 10..NETWORK + 16;
const OWN_PORT: Range<usize> = TRANSPORT..TRANSPORT + 2;
const OWN_TCP: [Range<usize>; 2] = [TRANSPORT + 4..TRANSPORT + 8, TRANSPORT + 16..TRANSPORT + 18];
const OWN_UDP: Range<usize> = TRANSPORT + 6..TRANSPORT + 8;

impl FloodPlan {
    /// A plan that sends copies of a frame by an interface, from any source. `None` if it
    /// isn't an IPv4 frame without options that carries TCP or UDP, and at least
    /// [`HEADER_LEN`] bytes long.
    #[must_use]
    pub fn new(frame: &[u8], interface: u32) -> Option<Self> {
        let mut frame = frame.to_vec();
        let plain = frame.get(ETHER_TYPE)? == [8, 0] && *frame.get(NETWORK)? == 0x45;
        let len = usize::from(u16::from_be_bytes(frame.get(LEN)?.try_into().ok()?));
        let protocol = u32::from(*frame.get(PROTOCOL)?);
        if !plain || frame.len() < HEADER_LEN || frame.len() < NETWORK + len || len < 28 {
            return None;
        }
        let own = match protocol {
            Self::TCP => OWN_TCP.to_vec(),
            Self::UDP => vec![OWN_UDP],
            _ => return None,
        };
        for range in own.into_iter().chain([OWN_NETWORK, OWN_PORT]) {
            frame[range].fill(0);
        }
        let mut headers = [0; HEADER_WORDS];
        for (word, bytes) in headers.iter_mut().zip(frame.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().ok()?);
        }
        let transport = &frame[TRANSPORT..NETWORK + len];
        let behind = sum(&frame[NETWORK + 16..TRANSPORT]) + sum(transport);
        let [high, low] = u16::try_from(transport.len()).ok()?.to_be_bytes();
        let [.., number] = protocol.to_be_bytes();
        let pseudo = sum(&[high, low, 0, number]);
        let network_sum = sum(&frame[NETWORK..TRANSPORT]);
        let transport_sum = behind + pseudo;
        Some(Self { headers, network_sum, transport_sum, interface, protocol, ..Self::default() })
    }

    /// The same plan, with so many frames a second.
    #[must_use]
    pub const fn paced(self, per_sec: u32) -> Self {
        Self { gap_ns: if per_sec == 0 { 0 } else { 1_000_000_000 / per_sec as u64 }, ..self }
    }

    /// The same plan, with so many sources from one on.
    #[must_use]
    pub const fn from(self, first: u32, count: u32) -> Self {
        Self { first, count, ..self }
    }
}

/// The sum of little-endian words, the last filled up with a zero.
fn sum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks(2).map(|word| match *word {
        [low, high] => u64::from(u16::from_le_bytes([low, high])),
        [last] => u64::from(last),
        _ => 0,
    });
    words.sum()
}
