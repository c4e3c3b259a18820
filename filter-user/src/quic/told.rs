//! Datagrams that the program copied.

use super::checksum::sum_fits;
use super::datagram::Datagram;
use crate::fingerprint::Flow;
use crate::replay::ip_addr;
use bytes::Bytes;
use filter_common::abi::quic::DatagramRecord;
use std::net::SocketAddr;
use zerocopy::FromBytes;

/// Why a copy can't be read: program and daemon disagree about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It ends too early.
    #[error("the copy of a datagram ends before its {0} bytes do")]
    Short(usize),
}

const HEADER_LEN: usize = 8;

impl Datagram {
    /// What the program wrote to the ring buffer; `None` for one whose checksum is wrong, which
    /// the receiving stack drops.
    ///
    /// *Shape*: a [`DatagramRecord`] and the bytes that it counts.
    ///
    /// *Errors*: [`RecordError`]; any bytes are fit to be tried.
    pub fn of_record(record: &Bytes) -> Result<Option<Self>, RecordError> {
        let short = RecordError::Short;
        let (header, rest) = DatagramRecord::read_from_prefix(record)
            .map_err(|_| short(size_of::<DatagramRecord>()))?;
        let copied = usize::try_from(header.copied).unwrap_or(usize::MAX);
        let udp = rest.get(..copied).ok_or(short(copied))?;
        let payload = udp.get(HEADER_LEN..).ok_or(short(HEADER_LEN))?;
        let [source, destination] = [&header.source, &header.destination].map(ip_addr);
        let is_whole = header.copied == header.len;
        if is_whole && !sum_fits([source, destination], udp) {
            return Ok(None);
        }
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        Ok(Some(Self {
            flow: Flow {
                source: SocketAddr::from((source, header.source_port)),
                destination: SocketAddr::from((destination, header.destination_port)),
            },
            payload: record.slice_ref(payload),
            payload_len: len.saturating_sub(HEADER_LEN),
            time_ns: header.time_ns,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use filter_common::wire::address::Address;
    use zerocopy::IntoBytes;

    /// A record, and a datagram of eight bytes of payload without a checksum.
    fn record(len: u32, copied: u32) -> Vec<u8> {
        let header = DatagramRecord {
            time_ns: 7,
            source: Address::v4(0xc000_0201),
            destination: Address::v4(0xc633_6407),
            source_port: 50_000,
            destination_port: 443,
            len,
            copied,
            ..DatagramRecord::default()
        };
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend([0xc3, 0x50, 0x01, 0xbb, 0, 16, 0, 0]);
        bytes.extend(*b"12345678");
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Option<Datagram>, RecordError> {
        Datagram::of_record(&Bytes::copy_from_slice(bytes))
    }

    #[test]
    fn a_copy_is_the_datagram() {
        let datagram = read(&record(16, 16)).unwrap().unwrap();
        assert_eq!(datagram.flow.source.to_string(), "192.0.2.1:50000");
        assert_eq!(datagram.flow.destination.to_string(), "198.51.100.7:443");
        assert_eq!((&datagram.payload[..], datagram.payload_len), (&b"12345678"[..], 8));
        assert_eq!(datagram.time_ns, 7);
    }

    #[test]
    fn of_one_that_was_cut_the_length_is_known() {
        let datagram = read(&record(9000, 16)).unwrap().unwrap();
        assert_eq!((datagram.payload.len(), datagram.payload_len), (8, 8992));
    }

    #[test]
    fn one_with_a_wrong_checksum_is_none() {
        let mut wrong = record(16, 16);
        let at = size_of::<DatagramRecord>() + 6;
        wrong[at] = 1;
        assert!(read(&wrong).unwrap().is_none());
    }

    #[test]
    fn every_strict_prefix_is_an_error() {
        let whole = record(16, 16);
        for len in 0..whole.len() {
            assert!(read(&whole[..len]).is_err(), "{len}");
        }
        assert!(read(&record(4, 4)).is_err(), "no header of UDP");
    }
}
