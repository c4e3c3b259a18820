//! Frames of every known kind, as the Ethernet frames that the filter reads.

use super::MAX_FRAME_LEN;
use super::file::Packet;
use std::fmt;

/// A link-layer header type.
///
/// *Source*: the registry at tcpdump.org/linktypes.html.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkType(pub u16);

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            9 => " (PPP)",
            105 => " (802.11)",
            127 => " (802.11 with radiotap)",
            189 | 220 | 249 => " (USB)",
            239 => " (NFLOG)",
            253 => " (netlink)",
            _ => "",
        };
        write!(f, "{}{name}", self.0)
    }
}

/// What lies in front of the IP header.
enum Header {
    /// Nothing to change.
    Ethernet,
    /// That many bytes, which don't say what follows.
    Opaque(usize),
    /// That many bytes, with an `EtherType` at this place.
    Typed(usize, usize),
}

impl LinkType {
    const fn header(self) -> Option<Header> {
        Some(match self.0 {
            1 => Header::Ethernet,
            // BSD's loopback, whose number for the address family depends on the system.
            0 | 108 => Header::Opaque(4),
            // Raw IP, whose numbers 12 and 14 come from different systems' headers.
            12 | 14 | 101 | 228 | 229 => Header::Opaque(0),
            113 => Header::Typed(16, 14),
            276 => Header::Typed(20, 0),
            _ => return None,
        })
    }
}

/// A frame for the filter.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// From the Ethernet header on, as long as it was on the wire.
    pub bytes: &'a [u8],
    /// How many of the bytes were captured. The rest are zero.
    pub captured: usize,
}

/// Makes frames, in one buffer that is used again and again.
#[derive(Debug, Default)]
pub(super) struct Normaliser {
    buffer: Vec<u8>,
}

const ETHERNET_LEN: usize = 14;

impl Normaliser {
    /// The packet as an Ethernet frame of its length on the wire. `None` if nothing can
    /// be made of it.
    ///
    /// *Errors*: a link type that isn't known.
    pub(super) fn frame<'a>(
        &'a mut self,
        packet: &Packet<'a>,
    ) -> Result<Option<Frame<'a>>, LinkType> {
        let header = packet.link.header().ok_or(packet.link)?;
        let bytes = &packet.bytes[..packet.bytes.len().min(MAX_FRAME_LEN)];
        let wire_len = packet.wire_len.clamp(bytes.len(), MAX_FRAME_LEN.max(bytes.len()));
        let made = match header {
            Header::Ethernet if wire_len == bytes.len() => {
                let frame = Frame { bytes, captured: bytes.len() };
                return Ok((bytes.len() >= ETHERNET_LEN).then_some(frame));
            }
            Header::Ethernet => self.copy(&[], bytes, wire_len),
            Header::Opaque(len) => bytes
                .get(len..)
                .zip(bytes.get(len).and_then(|&first| ether_type(first)))
                .and_then(|(rest, kind)| self.copy(&kind, rest, wire_len - len)),
            Header::Typed(len, at) => bytes
                .get(len..)
                .zip(bytes.get(at..at + 2))
                .and_then(|(rest, kind)| self.copy(kind, rest, wire_len - len)),
        };
        Ok(made.map(|captured| Frame { bytes: &self.buffer, captured }))
    }

    /// Fills the buffer with an Ethernet header, unless `kind` is empty, and the rest of
    /// the packet. How many bytes of it were captured; `None` if it is too short.
    fn copy(&mut self, kind: &[u8], rest: &[u8], wire_len: usize) -> Option<usize> {
        self.buffer.clear();
        if !kind.is_empty() {
            self.buffer.resize(ETHERNET_LEN - 2, 0);
            self.buffer.extend_from_slice(kind);
        }
        let header_len = self.buffer.len();
        self.buffer.extend_from_slice(rest);
        let captured = self.buffer.len();
        self.buffer.resize(header_len + wire_len, 0);
        (captured >= ETHERNET_LEN).then_some(captured)
    }
}

/// What the IP version in the first byte stands for.
const fn ether_type(first: u8) -> Option<[u8; 2]> {
    match first >> 4 {
        4 => Some([0x08, 0x00]),
        6 => Some([0x86, 0xdd]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(link: u16, bytes: &[u8], wire_len: usize) -> Option<(Vec<u8>, usize)> {
        let packet = Packet { time_ns: 0, link: LinkType(link), bytes, wire_len };
        let mut normaliser = Normaliser::default();
        let frame = normaliser.frame(&packet).unwrap();
        frame.map(|frame| (frame.bytes.to_vec(), frame.captured))
    }

    #[test]
    fn every_kind_becomes_the_same_ethernet_frame() {
        let ip = [0x45, 1, 2, 3];
        let expected = [&[0; 12][..], &[8, 0], &ip].concat();
        let cooked = [&[0; 14][..], &[8, 0], &ip].concat();
        let cooked2 = [&[8, 0][..], &[0; 18], &ip].concat();
        let loopback = [&[2, 0, 0, 0][..], &ip].concat();
        for (link, bytes) in
            [(1, &expected), (101, &ip.to_vec()), (113, &cooked), (276, &cooked2), (0, &loopback)]
        {
            let found = frame(link, bytes, bytes.len());
            assert_eq!(found, Some((expected.clone(), 18)), "link type {link}");
        }
    }

    #[test]
    fn a_cut_frame_is_filled_up_with_zeroes() {
        let (bytes, captured) = frame(1, &[7; 20], 30).unwrap();
        assert_eq!((bytes.len(), captured, bytes[19], bytes[20]), (30, 20, 7, 0));
        let (bytes, captured) = frame(101, &[0x60; 20], usize::MAX).unwrap();
        assert_eq!((captured, bytes[12]), (34, 0x86));
        assert!(bytes.len() <= MAX_FRAME_LEN + ETHERNET_LEN);
    }

    #[test]
    fn what_is_no_frame_is_skipped() {
        for link in [0, 1, 12, 14, 101, 108, 113, 228, 229, 276] {
            for len in 0..14 {
                let found = frame(link, &[0; 14][..len], len);
                assert_eq!(found, None, "{len} bytes of link type {link}");
            }
        }
    }

    #[test]
    fn an_unknown_kind_is_named() {
        let packet = Packet { time_ns: 0, link: LinkType(127), bytes: &[], wire_len: 0 };
        let error = Normaliser::default().frame(&packet).unwrap_err();
        assert_eq!(error.to_string(), "127 (802.11 with radiotap)");
    }
}
