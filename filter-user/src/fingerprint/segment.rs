//! A TCP segment on its way into the assembler.

use bytes::Bytes;
use filter_common::wire::checksum::{Checksum, verify_tcp};
use filter_common::wire::header::{TCP_HEADER_LEN, TcpFlags, TcpHeader};
use std::net::{IpAddr, SocketAddr};
use zerocopy::FromBytes;

/// Who speaks to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// The client.
    pub source: SocketAddr,
    /// The server.
    pub destination: SocketAddr,
}

/// A segment that may hold a piece of a ClientHello.
#[derive(Clone, Debug)]
pub struct Segment {
    pub(super) flow: Flow,
    pub(super) stream_start: u32,
    /// Sequence number of the first byte of payload.
    pub(super) first: u32,
    /// As much of the payload as there is.
    pub(super) payload: Bytes,
    /// Bytes of payload as the IP header counts them; never less than there are.
    pub(super) payload_len: u32,
    pub(super) checksum: Checksum,
    /// Whether one of its bytes is urgent.
    pub(super) is_urgent: bool,
    /// When it came.
    pub time_ns: u64,
}

/// Why bytes are no segment. The caller counts it and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// There is no whole header of TCP.
    #[error("a segment ends within its header")]
    Short,
    /// Lengths contradict one another.
    #[error("a segment's lengths contradict one another")]
    Lengths,
}

impl Segment {
    /// A segment out of an IP packet.
    ///
    /// *Shape*: `bytes` starts with the TCP header. If they are fewer than `claimed_len`,
    /// which is what the IP header counts, the segment was cut by the capture, or is a
    /// super-packet longer than the program copies, and its checksum can't be verified.
    ///
    /// *Errors*: [`SegmentError`].
    pub fn new(
        addresses: [IpAddr; 2],
        stream_start: u32,
        bytes: &Bytes,
        claimed_len: u32,
    ) -> Result<Self, SegmentError> {
        let (tcp, _) = TcpHeader::read_from_prefix(bytes).map_err(|_| SegmentError::Short)?;
        let header_len = (tcp.data_offset >> 4) * 4;
        let len = u32::try_from(bytes.len()).map_err(|_| SegmentError::Lengths)?;
        let payload_len = claimed_len.checked_sub(header_len.into());
        let payload_len = payload_len.ok_or(SegmentError::Lengths)?;
        if header_len < TCP_HEADER_LEN || len > claimed_len {
            return Err(SegmentError::Lengths);
        }
        let checksum = if len < claimed_len { Checksum::Valid } else { verify(addresses, bytes) };
        let flags = TcpFlags(tcp.flags);
        // Data in the answer to a SYN, or in a reset, is none to the stack.
        let is_void = flags.resets() || flags.synchronizes() && !flags.opens();
        let checksum = if is_void { Checksum::Bad } else { checksum };
        let [source, destination] = addresses;
        // The SYN takes a sequence number of its own; TCP Fast Open's data follows it.
        let syn = u32::from(flags.opens());
        Ok(Self {
            flow: Flow {
                source: (source, tcp.source_port.get()).into(),
                destination: (destination, tcp.destination_port.get()).into(),
            },
            stream_start,
            first: tcp.sequence.get().wrapping_add(syn),
            payload: bytes.slice(bytes.len().min(header_len.into())..),
            payload_len,
            checksum,
            is_urgent: flags.is_urgent(),
            time_ns: 0,
        })
    }

    /// The same segment at another time.
    #[must_use]
    pub fn at(self, time_ns: u64) -> Self {
        Self { time_ns, ..self }
    }
}

/// Whether the receiving stack would take the segment.
fn verify([source, destination]: [IpAddr; 2], bytes: &[u8]) -> Checksum {
    verify_tcp(&octets(source), &octets(destination), bytes)
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
    .octets()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tcp(data_offset: u8) -> [u8; 21] {
        let mut bytes = [0; 21];
        bytes[..4].copy_from_slice(&[1, 187, 0, 80]);
        bytes[12] = data_offset << 4;
        bytes[13] = 2;
        bytes
    }

    fn segment(bytes: &[u8], claimed_len: u32) -> Result<Segment, SegmentError> {
        let addresses = ["192.0.2.1", "2001:db8::2"].map(|text| text.parse().unwrap());
        Segment::new(addresses, 7, &Bytes::copy_from_slice(bytes), claimed_len)
    }

    #[test]
    fn a_segment_names_its_flow_and_where_its_payload_starts() {
        let segment = segment(&tcp(5), 21).unwrap();
        assert_eq!(segment.flow.source, "192.0.2.1:443".parse().unwrap());
        assert_eq!(segment.flow.destination, "[2001:db8::2]:80".parse().unwrap());
        assert_eq!((segment.first, segment.payload.len(), segment.payload_len), (1, 1, 1));
        assert_eq!(segment.checksum, Checksum::Bad);
    }

    #[test]
    fn contradicting_lengths_are_refused() {
        let tried = |bytes: &[u8], claimed| segment(bytes, claimed).map(|_| ());
        assert_eq!(tried(&tcp(5), 20), Err(SegmentError::Lengths));
        assert_eq!(tried(&tcp(4), 21), Err(SegmentError::Lengths));
        assert_eq!(tried(&tcp(6), 21), Err(SegmentError::Lengths));
        assert_eq!(tried(&tcp(5)[..19], 21), Err(SegmentError::Short));
    }

    #[test]
    fn a_cut_segment_claims_more_than_it_has() {
        let cut = segment(&tcp(6)[..20], 24).unwrap();
        assert_eq!((cut.payload.len(), cut.payload_len), (0, 0));
        let cut = segment(&tcp(5), 900).unwrap();
        assert_eq!((cut.payload.len(), cut.payload_len), (1, 880));
    }

    proptest! {
        #[test]
        fn any_segment_is_taken_or_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), claimed in 0_u32..300,
        ) {
            let _ = segment(&bytes, claimed);
        }
    }
}
