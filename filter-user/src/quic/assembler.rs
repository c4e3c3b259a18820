//! Putting QUIC clients' hellos together.

use super::connection::Connection;
use super::datagram::Datagram;
use super::frame::Frames;
use super::outcome::Outcome;
use super::packet::{Packet, Packets};
use super::protection::{ClientKeys, Opened};
use super::table::{Owner, Table};
use crate::fingerprint::Flow;
use bytes::Bytes;

/// Bytes of payload that a datagram has to have to open a connection: servers discard
/// Initial packets in smaller ones.
///
/// *Source*: RFC 9000 section 14.1.
pub const MIN_DATAGRAM_BYTES: usize = 1200;

/// Initial packets of a datagram that are looked at; more are ignored. Ordinary clients
/// put one or two into it.
pub const MAX_OPENED: usize = 8;

/// Bytes that a client's first name for the server has at least.
///
/// *Source*: RFC 9000 section 7.2.
const MIN_DESTINATION_LEN: usize = 8;

/// What came in, to be shown as counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Initial packets.
    pub initials: u64,
    /// Those of them that no client of a connection can have made: servers' packets,
    /// remainders of connections that are over, junk.
    pub foreign: u64,
}

/// Puts each ClientHello together from the Initial packets of datagrams in any order.
///
/// *Shape*: [`handle_datagram`](Self::handle_datagram) and [`expire`](Self::expire) take
/// datagrams and time, [`poll_outcome`](Self::poll_outcome) gives what came of them.
///
/// A datagram costs a key derivation at most, and for each of up to [`MAX_OPENED`] packets
/// one try and [`MAX_PER_FLOW`](super::MAX_PER_FLOW) more. Whoever feeds it from a network
/// has to limit how many come, since senders needn't show their address.
#[derive(Debug, Default)]
pub struct Assembler {
    table: Table,
    counts: Counts,
    /// Tells datagrams apart; it may wrap.
    datagrams: u32,
}

impl Assembler {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a datagram. Any bytes are fit to be tried; what is no client's Initial
    /// packet of a known version is ignored.
    pub fn handle_datagram(&mut self, datagram: &Datagram) {
        self.datagrams = self.datagrams.wrapping_add(1);
        let mut spare = None;
        for packet in Packets::of(datagram).take(MAX_OPENED) {
            self.counts.initials += 1;
            if self.handle_packet(datagram, &packet, &mut spare).is_none() {
                self.counts.foreign += 1;
            }
        }
    }

    /// The next thing to tell.
    pub fn poll_outcome(&mut self) -> Option<Outcome> {
        self.table.outcomes.pop_front()
    }

    /// Gives up what is too old at the given time and forgets what has lingered enough.
    pub fn expire(&mut self, now_ns: u64) {
        self.table.expire(now_ns);
    }

    /// Gives up whatever is unfinished: nothing more will come.
    pub fn finish(&mut self) {
        self.table.finish();
    }

    /// What came in so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes a packet; `None` if it is no client's of a connection.
    fn handle_packet(
        &mut self,
        datagram: &Datagram,
        packet: &Packet,
        spare: &mut Option<ClientKeys>,
    ) -> Option<()> {
        let Datagram { flow, time_ns, .. } = datagram;
        if packet.cut {
            return self.handle_cut(datagram, packet);
        }
        let (id, opened) = match self.table.owner(flow, packet) {
            Owner::Found(id, opened) => (id, opened),
            Owner::Nobody => return None,
            Owner::Unknown => self.open(datagram, packet, spare)?,
        };
        let number = self.datagrams;
        self.table.change(id, *time_ns, |connection| connection.handle(&opened, number, *time_ns));
        Some(())
    }

    /// Opens a connection with the packet, the first or the first after a Retry. One that
    /// brings nothing of a hello takes no place, and its keys are left for the next packet
    /// of the datagram, which is for the same name.
    fn open(
        &mut self,
        datagram: &Datagram,
        packet: &Packet,
        spare: &mut Option<ClientKeys>,
    ) -> Option<(u64, Opened)> {
        let keys = spare.take().or_else(|| first_keys(datagram, packet))?;
        let found = keys.open(packet, None).filter(|opened| speaks(&opened.payload));
        let Some(opened) = found else {
            *spare = Some(keys);
            return None;
        };
        let connection = Connection::new(datagram.flow, packet, keys);
        Some((self.table.add(connection, datagram.time_ns), opened))
    }

    /// Notes a packet of which only the start was captured, so that its hello is told as
    /// [`Cause::Truncated`](crate::fingerprint::Cause::Truncated). Nothing shows whether
    /// it is a client's, but clients speak first.
    fn handle_cut(&mut self, datagram: &Datagram, packet: &Packet) -> Option<()> {
        let Datagram { flow, time_ns, .. } = *datagram;
        let back = Flow { source: flow.destination, destination: flow.source };
        let id = match self.table.likely_owner(&flow, packet) {
            Some(id) => id,
            None if self.table.knows(&back) => return None,
            None => {
                let keys = first_keys(datagram, packet)?;
                self.table.add(Connection::new(flow, packet, keys), time_ns)
            }
        };
        self.table.change(id, time_ns, |connection| {
            connection.handle_cut(time_ns);
            None
        });
        Some(())
    }
}

/// Whether there is any of the handshake in a payload.
fn speaks(payload: &Bytes) -> bool {
    Frames::of(payload).flatten().any(|crypto| !crypto.bytes.is_empty())
}

/// The keys of a packet that may be the first of a connection, or the first after a
/// Retry.
fn first_keys(datagram: &Datagram, packet: &Packet) -> Option<ClientKeys> {
    let named = packet.destination.as_bytes().len() >= MIN_DESTINATION_LEN || packet.has_token;
    let fits = named && datagram.payload_len >= MIN_DATAGRAM_BYTES;
    if fits { ClientKeys::derive(packet.version, &packet.destination) } else { None }
}
