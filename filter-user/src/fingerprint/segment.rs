//! A TCP segment on its way into the assembler.

use crate::replay::ip_addr;
use bytes::Bytes;
use filter_common::abi::record::SegmentRecord;
use filter_common::wire::address::Address;
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
    /// Whether it fits an established local connection.
    pub proven: bool,
    /// When it came.
    pub time_ns: u64,
}

/// Why bytes are no segment. The caller counts it and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// There is no whole header of a record or of TCP.
    #[error("a segment record ends within its header")]
    Short,
    /// Lengths contradict one another.
    #[error("a segment record's lengths contradict one another")]
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
        let [source, destination] = addresses;
        // The SYN takes a sequence number of its own; TCP Fast Open's data follows it.
        let syn = u32::from(TcpFlags(tcp.flags).opens());
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
            proven: false,
            time_ns: 0,
        })
    }

    /// The same segment at another time.
    #[must_use]
    pub fn at(self, time_ns: u64) -> Self {
        Self { time_ns, ..self }
    }

    /// A segment as the program wrote it to the ring buffer.
    ///
    /// *Shape*: a [`SegmentRecord`] and the bytes that it counts.
    ///
    /// *Errors*: [`SegmentError`]; any bytes are fit to be tried.
    pub fn from_record(record: &[u8]) -> Result<Self, SegmentError> {
        Self::from_cut_record(record, u32::MAX)
    }

    /// A segment of which only the first `captured` bytes, TCP header included, are real.
    pub(crate) fn from_cut_record(record: &[u8], captured: u32) -> Result<Self, SegmentError> {
        let (header, rest) =
            SegmentRecord::read_from_prefix(record).map_err(|_| SegmentError::Short)?;
        let copied = usize::try_from(header.copied).map_err(|_| SegmentError::Lengths)?;
        let bytes = rest.get(..copied).ok_or(SegmentError::Lengths)?;
        let bytes = bytes.get(..usize::try_from(captured).unwrap_or(usize::MAX)).unwrap_or(bytes);
        let addresses =
            [header.source, header.destination].map(|[high, low]| ip_addr(&Address { high, low }));
        let bytes = Bytes::copy_from_slice(bytes);
        let segment = Self::new(addresses, header.stream_start, &bytes, header.segment_len)?;
        let proven = header.evidence & SegmentRecord::PROVEN != 0;
        Ok(Self { proven, time_ns: header.time_ns, ..segment })
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
    use zerocopy::IntoBytes;

    fn record(segment_len: u32, copied: u32, bytes: &[u8]) -> Vec<u8> {
        let header = SegmentRecord {
            time_ns: 5,
            source: [0, 0xffff_c000_0201],
            destination: [1, 2],
            stream_start: 7,
            ifindex: 1,
            segment_len,
            copied,
            evidence: SegmentRecord::PROVEN,
            reserved: 0,
        };
        [header.as_bytes(), bytes].concat()
    }

    fn tcp(data_offset: u8) -> [u8; 21] {
        let mut bytes = [0; 21];
        bytes[..4].copy_from_slice(&[1, 187, 0, 80]);
        bytes[12] = data_offset << 4;
        bytes[13] = 2;
        bytes
    }

    #[test]
    fn a_record_names_its_flow_and_where_its_payload_starts() {
        let segment = Segment::from_record(&record(21, 21, &tcp(5))).unwrap();
        assert_eq!(segment.flow.source, "192.0.2.1:443".parse().unwrap());
        assert_eq!(segment.flow.destination, "[0:0:0:1::2]:80".parse().unwrap());
        assert_eq!((segment.first, segment.payload.len(), segment.payload_len), (1, 1, 1));
        assert!(segment.proven && segment.checksum == Checksum::Bad);
    }

    #[test]
    fn contradicting_lengths_are_refused() {
        let lengths = Err(SegmentError::Lengths);
        let tried = |bytes: Vec<u8>| Segment::from_record(&bytes).map(|_| ());
        assert_eq!(tried(record(21, 22, &tcp(5))), lengths);
        assert_eq!(tried(record(20, 21, &tcp(5))), lengths);
        assert_eq!(tried(record(21, 21, &tcp(4))), lengths);
        assert_eq!(tried(record(21, 21, &tcp(6))), lengths);
        assert_eq!(tried(record(21, 19, &tcp(5))), Err(SegmentError::Short));
        assert_eq!(tried(vec![0; 63]), Err(SegmentError::Short));
    }

    #[test]
    fn a_cut_segment_claims_more_than_it_has() {
        let segment = Segment::from_cut_record(&record(24, 21, &tcp(6)), 20).unwrap();
        assert_eq!((segment.payload.len(), segment.payload_len), (0, 0));
        let segment = Segment::from_cut_record(&record(900, 21, &tcp(5)), 21).unwrap();
        assert_eq!((segment.payload.len(), segment.payload_len), (1, 880));
    }

    proptest! {
        #[test]
        fn any_record_is_taken_or_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = Segment::from_record(&bytes);
        }
    }
}
