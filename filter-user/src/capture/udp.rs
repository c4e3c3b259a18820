//! UDP datagrams out of frames. The filter passes them unread, whichever engine runs.

use super::link::Frame;
use crate::fingerprint::Flow;
use crate::quic::{Datagram, may_hold_initial};
use bytes::Bytes;
use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice, UdpSlice};
use std::net::{IpAddr, SocketAddr};

const HEADER_LEN: usize = 8;
const PROTOCOL: u64 = 17;

/// The datagram in a frame, if it may hold a QUIC client's hello.
///
/// *Shape*: behind VLAN tags, IPv4 options and IPv6 extension headers. Fragments are
/// ignored, and what the receiving stack drops for its checksum or length.
pub(super) fn datagram(frame: Frame<'_>, time_ns: u64) -> Option<Datagram> {
    let captured = frame.bytes.get(..frame.captured)?;
    let packet = LaxSlicedPacket::from_ethernet(captured).ok()?;
    let Some(TransportSlice::Udp(udp)) = &packet.transport else {
        return None;
    };
    let payload = udp.payload();
    if !may_hold_initial(payload) {
        return None;
    }
    let net = packet.net.as_ref()?;
    let payload_len = usize::from(udp.length()).checked_sub(HEADER_LEN)?;
    let is_whole = payload_len == payload.len();
    let was_cut = net.ip_payload_ref().is_some_and(|ip| ip.incomplete);
    let [source, destination] = addresses(net)?;
    if !is_whole && !was_cut || is_whole && !sum_fits([source, destination], udp) {
        return None;
    }
    Some(Datagram {
        flow: Flow {
            source: SocketAddr::from((source, udp.source_port())),
            destination: SocketAddr::from((destination, udp.destination_port())),
        },
        payload: Bytes::copy_from_slice(payload),
        payload_len,
        time_ns,
    })
}

fn addresses(net: &LaxNetSlice<'_>) -> Option<[IpAddr; 2]> {
    match net {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            Some([header.source_addr().into(), header.destination_addr().into()])
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            Some([header.source_addr().into(), header.destination_addr().into()])
        }
        LaxNetSlice::Arp(_) => None,
    }
}

/// Whether the receiving stack takes the datagram: its checksum is right, absent, or left
/// to a network card as captures taken on the sender have it.
///
/// *Source*: RFC 768, RFC 8200 section 8.1; the kernel's `udp_set_csum`.
fn sum_fits(addresses: [IpAddr; 2], udp: &UdpSlice<'_>) -> bool {
    let bytes = udp.slice();
    let ends: u64 = addresses.iter().map(|address| sum_of(*address)).sum();
    let pseudo = ends + PROTOCOL + u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    match udp.checksum() {
        0 => addresses[0].is_ipv4(),
        carried => fold(pseudo + sum(bytes)) == 0xffff || u64::from(carried) == fold(pseudo),
    }
}

fn sum_of(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(v4) => sum(&v4.octets()),
        IpAddr::V6(v6) => sum(&v6.octets()),
    }
}

fn sum(bytes: &[u8]) -> u64 {
    let (words, odd) = bytes.as_chunks::<2>();
    let words: u64 = words.iter().map(|w| u64::from(u16::from_be_bytes(*w))).sum();
    words + odd.first().map_or(0, |&last| u64::from(last) << 8)
}

const fn fold(mut sum: u64) -> u64 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

#[cfg(test)]
mod tests;
