//! UDP datagrams out of frames. The filter passes them unread, whichever engine runs.

use super::link::Frame;
use crate::fingerprint::Flow;
use crate::quic::checksum::sum_fits;
use crate::quic::{Datagram, may_hold_initial};
use bytes::Bytes;
use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use std::net::{IpAddr, SocketAddr};

const HEADER_LEN: usize = 8;

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
    if !is_whole && !was_cut || is_whole && !sum_fits([source, destination], udp.slice()) {
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

#[cfg(test)]
mod tests;
