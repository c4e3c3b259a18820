//! Frames for tests, put together from the outside in, with right lengths and checksums.
//!
//! What a test wants wrong it changes in the bytes afterwards. This file knows nothing
//! of the parser that it tests, and needs nothing but the standard library.

use checksum::{fold, sum};
pub use hello::{hello, hello_start};
pub use segment::{ACK, SYN, SYN_ACK, Segment};
use std::vec;
use std::vec::Vec;

mod checksum;
mod hello;
pub mod proto;
mod segment;

/// A frame in the making.
///
/// *Shape*: Ethernet, VLAN tags, an IP header with its options or extension headers, and
/// one transport header with its payload. Without a transport the packet has none.
#[derive(Clone, Debug)]
pub struct Packet {
    tags: Vec<u16>,
    ends: Ends,
    options: Vec<u8>,
    flags_offset: u16,
    hop_limit: u8,
    extensions: Vec<(u8, Vec<u8>)>,
    protocol: u8,
    body: Vec<u8>,
    checksum_at: Option<usize>,
    padding: Vec<u8>,
}

/// Source and destination, as they stand in the header.
#[derive(Clone, Copy, Debug)]
enum Ends {
    V4([u8; 4], [u8; 4]),
    V6([u8; 16], [u8; 16]),
}

impl Packet {
    /// An IPv4 packet without a payload.
    #[must_use]
    pub const fn v4(source: [u8; 4], destination: [u8; 4]) -> Self {
        Self::new(Ends::V4(source, destination), proto::ICMP)
    }

    /// An IPv6 packet without a payload.
    #[must_use]
    pub const fn v6(source: [u8; 16], destination: [u8; 16]) -> Self {
        Self::new(Ends::V6(source, destination), proto::NONE)
    }

    const fn new(ends: Ends, protocol: u8) -> Self {
        Self {
            tags: Vec::new(),
            ends,
            options: Vec::new(),
            flags_offset: 0,
            hop_limit: 64,
            extensions: Vec::new(),
            protocol,
            body: Vec::new(),
            checksum_at: None,
            padding: Vec::new(),
        }
    }

    /// Puts a VLAN tag behind those that are there.
    #[must_use]
    pub fn vlan(mut self, ether_type: u16) -> Self {
        self.tags.push(ether_type);
        self
    }

    /// Gives an IPv4 header options: `words` of four bytes, at most ten, "no operation".
    #[must_use]
    pub fn options(mut self, words: usize) -> Self {
        self.options = vec![1; words.min(10) * 4];
        self
    }

    /// Makes it a fragment at an offset in words of eight bytes. IPv6 gets a fragment
    /// header behind the extension headers that are there.
    #[must_use]
    pub fn fragment(mut self, offset: u16, more: bool) -> Self {
        if matches!(self.ends, Ends::V4(..)) {
            self.flags_offset = offset & 0x1fff | u16::from(more) << 13;
            return self;
        }
        let mut header = vec![0, 0];
        header.extend((offset << 3 | u16::from(more)).to_be_bytes());
        header.extend([0, 0, 0, 7]);
        self.extensions.push((proto::FRAGMENT, header));
        self
    }

    /// Sets the hop limit, or time to live.
    #[must_use]
    pub const fn hop_limit(mut self, hops: u8) -> Self {
        self.hop_limit = hops;
        self
    }

    /// Puts an IPv6 extension header of `8 + 8 * extra` bytes behind those that are
    /// there; an authentication header counts its words of four.
    #[must_use]
    pub fn extension(mut self, protocol: u8, extra: u8) -> Self {
        let mut header = vec![0; 8 + usize::from(extra) * 8];
        let in_fours = protocol == proto::AUTHENTICATION;
        header[1] = if in_fours { extra * 2 } else { extra };
        self.extensions.push((protocol, header));
        self
    }

    /// Gives it a TCP segment.
    #[must_use]
    pub fn tcp(mut self, segment: Segment) -> Self {
        self.body = segment.bytes();
        self.carrying(proto::TCP, Some(16))
    }

    /// Gives it a UDP datagram.
    #[must_use]
    pub fn udp(mut self, ports: (u16, u16), payload: &[u8]) -> Self {
        let len = u16::try_from(8 + payload.len()).unwrap_or(0);
        self.body.clear();
        for word in [ports.0, ports.1, len, 0] {
            self.body.extend(word.to_be_bytes());
        }
        self.body.extend(payload);
        self.carrying(proto::UDP, Some(6))
    }

    /// Gives it an ICMP message of the family's own kind.
    #[must_use]
    pub fn icmp(mut self, kind: u8, rest: &[u8]) -> Self {
        self.body = vec![kind, 0, 0, 0];
        self.body.extend(rest);
        let v4 = matches!(self.ends, Ends::V4(..));
        self.carrying(if v4 { proto::ICMP } else { proto::ICMP_V6 }, Some(2))
    }

    /// Gives it a payload of any protocol, without a checksum.
    #[must_use]
    pub fn payload(mut self, protocol: u8, bytes: &[u8]) -> Self {
        self.body = bytes.to_vec();
        self.carrying(protocol, None)
    }

    const fn carrying(mut self, protocol: u8, checksum_at: Option<usize>) -> Self {
        self.protocol = protocol;
        self.checksum_at = checksum_at;
        self
    }

    /// Appends bytes that no header counts, as Ethernet does to short frames.
    #[must_use]
    pub fn padding(mut self, bytes: usize) -> Self {
        self.padding = vec![0xee; bytes];
        self
    }

    /// The frame.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        for tag in &self.tags {
            frame.extend(tag.to_be_bytes());
            frame.extend([0, 42]);
        }
        match self.ends {
            Ends::V4(source, destination) => self.push_v4(&mut frame, source, destination),
            Ends::V6(source, destination) => self.push_v6(&mut frame, source, destination),
        }
        frame.extend(self.summed_body());
        frame.extend(&self.padding);
        frame
    }

    fn push_v4(&self, frame: &mut Vec<u8>, source: [u8; 4], destination: [u8; 4]) {
        let words = u8::try_from(5 + self.options.len() / 4).unwrap_or(15);
        let total = short(usize::from(words) * 4 + self.body.len());
        let mut header = vec![0x40 | words, 0];
        header.extend(total.to_be_bytes());
        header.extend([0, 1]);
        header.extend(self.flags_offset.to_be_bytes());
        header.extend([self.hop_limit, self.protocol, 0, 0]);
        header.extend(source);
        header.extend(destination);
        header.extend(&self.options);
        let checksum = !fold(sum(&header));
        header[10..12].copy_from_slice(&checksum.to_be_bytes());
        frame.extend([0x08, 0x00]);
        frame.extend(header);
    }

    fn push_v6(&self, frame: &mut Vec<u8>, source: [u8; 16], destination: [u8; 16]) {
        let extensions: usize = self.extensions.iter().map(|(_, bytes)| bytes.len()).sum();
        let payload = short(extensions + self.body.len());
        let protocols = self.extensions.iter().map(|(protocol, _)| *protocol);
        let mut next = protocols.chain([self.protocol]);
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend(payload.to_be_bytes());
        frame.extend(next.next());
        frame.push(self.hop_limit);
        frame.extend(source);
        frame.extend(destination);
        for (_, header) in &self.extensions {
            frame.extend(next.next());
            frame.extend(&header[1..]);
        }
    }

    fn summed_body(&self) -> Vec<u8> {
        let mut body = self.body.clone();
        let Some(at) = self.checksum_at else {
            return body;
        };
        let pseudo = match self.ends {
            Ends::V4(..) if self.protocol == proto::ICMP => 0,
            Ends::V4(source, destination) => self.pseudo(&source, &destination),
            Ends::V6(source, destination) => self.pseudo(&source, &destination),
        };
        let checksum = !fold(pseudo + sum(&body));
        body[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
        body
    }

    fn pseudo(&self, source: &[u8], destination: &[u8]) -> u64 {
        let len = u64::try_from(self.body.len()).unwrap_or(0);
        sum(source) + sum(destination) + len + u64::from(self.protocol)
    }
}

/// A length for a field of sixteen bits; zero, "to the end", for what doesn't fit.
fn short(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(0)
}
