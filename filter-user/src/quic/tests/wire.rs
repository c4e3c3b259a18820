//! A QUIC client that says whatever a test wants.

use super::*;
use crate::fingerprint::Flow;
use rustls::Side;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::quic::Keys;

/// A client with its connection.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) version: Version,
    /// The name that keys derive from.
    pub(super) first: Vec<u8>,
    /// The name in the header.
    pub(super) destination: Vec<u8>,
    pub(super) source: Vec<u8>,
    pub(super) token: Vec<u8>,
    pub(super) port: u16,
    pub(super) time_ns: u64,
}

impl Client {
    pub(super) fn new(version: Version) -> Self {
        Self {
            version,
            first: vec![7; 8],
            destination: vec![7; 8],
            source: vec![],
            token: vec![],
            port: 40_000,
            time_ns: 0,
        }
    }

    /// The same client with another name for the server, from which keys derive.
    pub(super) fn renamed(&self, destination: &[u8]) -> Self {
        let name = destination.to_vec();
        Self { first: name.clone(), destination: name, ..self.clone() }
    }

    pub(super) fn flow(&self) -> Flow {
        Flow {
            source: ([192, 0, 2, 1], self.port).into(),
            destination: ([198, 51, 100, 7], 443).into(),
        }
    }

    fn keys(&self, side: Side) -> Keys {
        let suite = TLS13_AES_128_GCM_SHA256.tls13().unwrap().quic_suite().unwrap();
        suite.keys(&self.first, side, self.version.for_keys())
    }

    /// A long header up to the token; `kind` as version 1 counts.
    fn header(&self, kind: u8) -> Vec<u8> {
        let kind = if self.version == Version::V2 { (kind + 1) & 3 } else { kind };
        let mut bytes = vec![0xc3 | kind << 4];
        bytes.extend(self.version.number().to_be_bytes());
        for id in [&self.destination, &self.source] {
            bytes.push(u8::try_from(id.len()).unwrap());
            bytes.extend(id);
        }
        bytes
    }

    /// An Initial packet of at least `len` bytes.
    pub(super) fn initial(&self, number: u32, frames: &[u8], len: usize) -> Vec<u8> {
        self.protected(Side::Client, number, frames, len)
    }

    /// An Initial packet of that side.
    pub(super) fn protected(&self, side: Side, number: u32, frames: &[u8], len: usize) -> Vec<u8> {
        let mut bytes = self.header(0);
        bytes.extend(varint(self.token.len()));
        bytes.extend(&self.token);
        let overhead = bytes.len() + 2 + 4 + 16;
        let mut payload = frames.to_vec();
        payload.resize(payload.len().max(len.saturating_sub(overhead)).max(4), 0);
        bytes.extend(long_varint(payload.len() + 4 + 16));
        let number_at = bytes.len();
        bytes.extend(number.to_be_bytes());
        let keys = self.keys(side).local;
        let tag = keys.packet.encrypt_in_place(number.into(), &bytes, &mut payload).unwrap();
        bytes.extend(payload);
        bytes.extend(tag.as_ref());
        let sample: [u8; 16] = bytes[number_at + 4..][..16].try_into().unwrap();
        let (first, rest) = bytes.split_first_mut().unwrap();
        let number = &mut rest[number_at - 1..number_at + 3];
        keys.header.encrypt_in_place(&sample, first, number).unwrap();
        bytes
    }

    /// A packet of another kind (1: 0-RTT, 2: Handshake) with bytes that nobody reads.
    pub(super) fn other(&self, kind: u8, len: usize) -> Vec<u8> {
        let mut bytes = self.header(kind);
        bytes.extend(long_varint(len));
        bytes.resize(bytes.len() + len, 0x5a);
        bytes
    }

    /// A Retry, as a server sends it.
    pub(super) fn retry(&self, token: &[u8]) -> Vec<u8> {
        [&self.header(3)[..], token, &[0; 16]].concat()
    }

    pub(super) fn datagram(&self, payload: Vec<u8>) -> Datagram {
        let payload_len = payload.len();
        Datagram { flow: self.flow(), payload: payload.into(), payload_len, time_ns: self.time_ns }
    }

    /// A datagram of 1,200 bytes or more with an Initial packet.
    pub(super) fn says(&self, number: u32, frames: &[u8]) -> Datagram {
        self.datagram(self.initial(number, frames, MIN_DATAGRAM_BYTES))
    }

    /// A message in as many datagrams as it takes.
    pub(super) fn says_all(&self, message: &[u8]) -> Vec<Datagram> {
        let parts = message.chunks(1100).enumerate();
        parts
            .map(|(at, part)| self.says(u32::try_from(at).unwrap(), &crypto(at * 1100, part)))
            .collect()
    }
}

/// A CRYPTO frame.
pub(super) fn crypto(offset: usize, bytes: &[u8]) -> Vec<u8> {
    [&[6][..], &varint(offset), &varint(bytes.len()), bytes].concat()
}

fn varint(value: usize) -> Vec<u8> {
    match value {
        0..64 => vec![u8::try_from(value).unwrap()],
        64..0x4000 => long_varint(value).to_vec(),
        _ => (u32::try_from(value).unwrap() | 0x8000_0000).to_be_bytes().to_vec(),
    }
}

fn long_varint(value: usize) -> [u8; 2] {
    (u16::try_from(value).unwrap() | 0x4000).to_be_bytes()
}
