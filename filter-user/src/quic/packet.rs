//! The packets of a datagram.

use super::connection_id::ConnectionId;
use super::datagram::{Datagram, LONG_HEADER};
use super::reader::Reader;
use super::version::{Kind, Version};
use bytes::Bytes;

/// Bytes of payload that no datagram on Ethernet exceeds, short of jumbo frames.
const MAX_WIRE_BYTES: usize = 1500;

/// An Initial packet, still protected.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) version: Version,
    /// The receiver's name, as the sender knows it.
    pub(super) destination: ConnectionId,
    /// The sender's.
    pub(super) source: ConnectionId,
    /// Whether it has a token, from a Retry or an earlier connection.
    pub(super) has_token: bool,
    /// The packet from its first byte.
    pub(super) bytes: Bytes,
    /// Where its packet number starts.
    pub(super) number_at: usize,
    /// Whether the capture has only the start of it.
    pub(super) cut: bool,
}

/// The Initial packets of a datagram.
///
/// *Shape*: packets of other kinds are passed over. What tells no length (a short header,
/// a Retry, Version Negotiation, an unknown version) is the last in a datagram. Packets
/// of another connection or version than the first one's are passed over too.
///
/// Captures of a sender show several datagrams as one super-packet, whose borders are
/// lost. Some clients fill a datagram up with zeroes behind its packets, so that in what
/// is longer than [`MAX_WIRE_BYTES`] packets are looked for behind zeroes too.
///
/// *Source*: RFC 9000 sections 12.2 and 17.2; RFC 9287: the "fixed" bit may be zero.
pub(super) struct Packets<'a> {
    datagram: &'a Datagram,
    at: usize,
    first: Option<(Version, ConnectionId)>,
}

impl<'a> Packets<'a> {
    pub(super) const fn of(datagram: &'a Datagram) -> Self {
        Self { datagram, at: 0, first: None }
    }

    /// Leaves out what lies between the datagrams of a super-packet.
    fn skip_padding(&mut self) {
        let is_super = self.datagram.payload_len > MAX_WIRE_BYTES;
        if let Some(rest) = self.datagram.payload.get(self.at..).filter(|_| is_super) {
            self.at += rest.iter().take_while(|&&byte| byte == 0).count();
        }
    }

    /// The next packet that tells its length.
    fn packet(&mut self) -> Option<(Kind, Packet)> {
        self.skip_padding();
        let present = self.datagram.payload.get(self.at..)?;
        let claimed = self.datagram.payload_len.checked_sub(self.at)?;
        let mut reader = Reader::new(present);
        let first = reader.u8().filter(|first| first & LONG_HEADER != 0)?;
        let version = Version::from_number(reader.u32()?)?;
        let kind = version.kind(first);
        let [destination, source] = [id(&mut reader)?, id(&mut reader)?];
        let mut has_token = false;
        match kind {
            Kind::Retry => return None,
            Kind::Initial => {
                let len = reader.len()?;
                reader.take(len)?;
                has_token = len > 0;
            }
            Kind::ZeroRtt | Kind::Handshake => {}
        }
        let len = reader.len()?;
        let number_at = reader.at();
        let end = number_at.checked_add(len).filter(|&end| end <= claimed)?;
        let cut = end > present.len();
        let bytes = self.datagram.payload.slice(self.at..self.at + end.min(present.len()));
        self.at += end;
        let packet = Packet { version, destination, source, has_token, bytes, number_at, cut };
        Some((kind, packet))
    }
}

impl Iterator for Packets<'_> {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        loop {
            let (kind, packet) = self.packet()?;
            let named = (packet.version, packet.destination);
            if *self.first.get_or_insert(named) == named && kind == Kind::Initial {
                return Some(packet);
            }
        }
    }
}

fn id(reader: &mut Reader<'_>) -> Option<ConnectionId> {
    let len = usize::from(reader.u8()?);
    ConnectionId::new(reader.take(len)?)
}
