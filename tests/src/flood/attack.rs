//! Attacks on the service.

use super::generator::Wave;
use crate::packet::{Packet, Segment};
use std::net::Ipv4Addr;

/// An attack with a name.
#[derive(Clone, Debug)]
pub struct Attack {
    /// The name.
    pub name: &'static str,
    /// What is sent.
    pub wave: Wave,
}

impl Attack {
    /// One source opens up to 50,000 connections a second.
    #[must_use]
    pub fn one_source() -> Self {
        Self { name: "one source", wave: wave(syn(), Some((SOURCE, 1)), Some(50_000)) }
    }

    /// A hundred thousand sources open a connection in two seconds each, or less often.
    #[must_use]
    pub fn many_sources() -> Self {
        let sources = Some((FIRST_OF_MANY, 100_000));
        Self { name: "100,000 sources", wave: wave(syn(), sources, Some(50_000)) }
    }

    /// Any source opens connections, as fast as can be sent.
    #[must_use]
    pub fn spoofed_syn() -> Self {
        Self { name: "spoofed SYN", wave: wave(syn(), None, None) }
    }

    /// Any source sends datagrams, as fast as can be sent.
    #[must_use]
    pub fn spoofed_udp() -> Self {
        let frame = Packet::v4(SOURCE.octets(), EDGE).udp((1, TLS), &[0x2a; 64]).build();
        Self { name: "spoofed UDP", wave: wave(frame, None, None) }
    }

    /// Any source sends segments of connections that don't exist, as fast as can be sent.
    #[must_use]
    pub fn spoofed_ack() -> Self {
        let segment = Segment::data((1, TLS), 1, &[]);
        let frame = Packet::v4(SOURCE.octets(), EDGE).tcp(segment).padding(PADDING).build();
        Self { name: "spoofed ACK", wave: wave(frame, None, None) }
    }

    /// All of them.
    #[must_use]
    pub fn all() -> [Self; 5] {
        [
            Self::one_source(),
            Self::many_sources(),
            Self::spoofed_syn(),
            Self::spoofed_udp(),
            Self::spoofed_ack(),
        ]
    }
}

const fn wave(frame: Vec<u8>, sources: Option<(Ipv4Addr, u32)>, per_sec: Option<u32>) -> Wave {
    Wave { frame, sources, per_sec }
}

fn syn() -> Vec<u8> {
    Packet::v4(SOURCE.octets(), EDGE).tcp(Segment::syn((1, TLS), 1)).padding(PADDING).build()
}

const EDGE: [u8; 4] = [192, 0, 2, 1];
const TLS: u16 = super::site::TLS;

/// Up to the length of the shortest frame on a wire.
const PADDING: usize = 6;

/// The one source.
pub const SOURCE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 66);
/// The first of many sources.
const FIRST_OF_MANY: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 0);
