//! Connections to this host's ports, as the kernel has them.
//!
//! *Source*: `sock_diag(7)`; `inet_diag_dump_icsk` in the kernel's `net/ipv4/inet_diag.c`, which
//! leaves out other ports and states by itself.

use super::Connection;
use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags,
};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr};
use std::io;
use std::num::NonZeroU16;

/// The established connections to these ports that a program has taken: those that still wait for
/// that may be anybody's.
///
/// *Errors*: the kernel's, and an answer that can't be read. Waits for the kernel, which walks
/// through all of its sockets.
pub fn established(ports: &[NonZeroU16]) -> io::Result<Vec<Connection>> {
    if ports.is_empty() {
        return Ok(Vec::new());
    }
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut found = Vec::new();
    for port in ports {
        for (family, mut id) in [(AF_INET, SocketId::new_v4()), (AF_INET6, SocketId::new_v6())] {
            id.source_port = port.get();
            ask(&socket, family, id)?;
            receive(&socket, &mut found)?;
        }
    }
    Ok(found)
}

fn ask(socket: &Socket, family: u8, socket_id: SocketId) -> io::Result<()> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let request = InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::ESTABLISHED,
        socket_id,
    };
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send(&bytes, 0).map(drop)
}

/// Takes the answer to one question.
fn receive(socket: &Socket, found: &mut Vec<Connection>) -> io::Result<()> {
    loop {
        let (datagram, _) = socket.recv_from_full()?;
        let mut rest = &datagram[..];
        while !rest.is_empty() {
            let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest);
            let message = message.map_err(|error| io::Error::other(error.to_string()))?;
            match message.payload {
                NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(of)) => {
                    found.extend(connection(&of));
                }
                // What goes wrong within an answer comes at its end.
                NetlinkPayload::Done(done) if done.code < 0 => {
                    return Err(io::Error::from_raw_os_error(-done.code));
                }
                NetlinkPayload::Done(_) => return Ok(()),
                NetlinkPayload::Error(error) if error.code.is_some() => return Err(error.to_io()),
                _ => {}
            }
            // Messages are as long as a multiple of four.
            let len = usize::try_from(message.header.length).unwrap_or(usize::MAX);
            rest = rest.get(len.next_multiple_of(4).max(4)..).unwrap_or_default();
        }
    }
}

fn connection(of: &InetResponse) -> Option<Connection> {
    let id = &of.header.socket_id;
    // Without an inode no program has it.
    let is_taken = of.header.inode != 0;
    is_taken
        .then(|| Connection { cookie: u64::from_le_bytes(id.cookie), peer: id.destination_address })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn connections_are_found_once_they_are_taken() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let local = listener.local_addr().unwrap();
            let ports = [NonZeroU16::new(local.port()).unwrap()];
            let _client = TcpStream::connect(local).unwrap();
            assert_eq!(established(&ports).unwrap(), [], "nobody has taken it");
            let (_server, peer) = listener.accept().unwrap();
            let found = established(&ports).unwrap();
            assert_eq!(found.len(), 1, "not {found:?}");
            assert_eq!(found[0].peer, peer.ip());
            assert_eq!(established(&ports).unwrap(), found, "the cookie stays");
        }
        assert_eq!(established(&[]).unwrap(), []);
    }
}
