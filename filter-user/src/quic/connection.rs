//! One connection: the handshake bytes of a client, from its first Initial packet on.

use super::connection_id::ConnectionId;
use super::frame::{Crypto, Frames};
use super::packet::Packet;
use super::protection::{ClientKeys, Opened};
use super::version::Version;
use crate::fingerprint::{Cause, Flow, Hello, Pieces, Transport};
use bytes::Bytes;

/// Bytes that a hello may have, its four header bytes included.
///
/// A longer one is [`Cause::TooLong`]. Ordinary clients send 300 to 2,000.
pub const MAX_MESSAGE_BYTES: usize = 16 << 10;

/// Initial packets of a connection that are decrypted.
///
/// One more, and a hello that isn't whole is [`Cause::TooManySegments`]; behind a whole
/// one they are ignored, and a conflict in them is missed. Ordinary clients send one to
/// three, and a few acknowledgements and repetitions.
pub const MAX_PACKETS: u32 = 64;

/// CRYPTO frames that a hello may be scattered over, repetitions included.
///
/// One more is [`Cause::TooManySegments`]. Chromium uses up to some ten a packet.
pub const MAX_FRAMES: u32 = 512;

/// The first byte of a ClientHello, and how many bytes tell its length.
const CLIENT_HELLO: u8 = 1;
const HEADER_LEN: usize = 4;

/// A connection, from its first packet until nobody asks for it any more.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) flow: Flow,
    pub(super) version: Version,
    /// The name that the client gave itself, the same in all of its Initial packets.
    pub(super) source: ConnectionId,
    /// The name that it gave the server at first.
    pub(super) destination: ConnectionId,
    /// Whether it was opened with a token, as after a Retry.
    has_token: bool,
    keys: ClientKeys,
    /// The largest packet number so far.
    largest: Option<u64>,
    pieces: Pieces,
    state: State,
    /// Datagrams that the hello came in so far.
    pub(super) datagrams: u32,
    /// Packets that were decrypted.
    packets: u32,
    /// CRYPTO frames in them.
    frames: u32,
    /// Whether the capture has only the start of one.
    cut: bool,
    /// When the last packet came.
    pub(super) last_ns: u64,
    /// What it counts for in [`MAX_HELD_BYTES`](super::MAX_HELD_BYTES).
    pub(super) held_bytes: usize,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The hello isn't all there.
    Open,
    /// It is, and has this length. Kept to recognise conflicts.
    Read(usize),
    /// It has no fingerprint and won't get one. Kept to swallow what still comes.
    Closed,
}

/// What is to be told of a connection.
pub(super) type Told = Result<Hello, Cause>;

impl Connection {
    /// One that nothing is known of but the packet that opened it.
    pub(super) fn new(flow: Flow, packet: &Packet, keys: ClientKeys) -> Self {
        Self {
            flow,
            version: packet.version,
            source: packet.source,
            destination: packet.destination,
            has_token: packet.has_token,
            keys,
            largest: None,
            pieces: Pieces::default(),
            state: State::Open,
            datagrams: 0,
            packets: 0,
            frames: 0,
            cut: false,
            last_ns: 0,
            held_bytes: 0,
        }
    }

    /// Whether its hello isn't all there yet.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// Whether nothing that still comes can change anything.
    pub(super) const fn is_over(&self) -> bool {
        match self.state {
            State::Open => false,
            State::Read(_) => self.packets > MAX_PACKETS,
            State::Closed => true,
        }
    }

    /// Whether a packet's keys derive from a name that is this connection's.
    pub(super) fn owns(&self, packet: &Packet) -> bool {
        packet.version == self.version && packet.destination == self.destination
    }

    /// Whether a packet may be of this connection, under a name that the server chose.
    pub(super) fn may_own(&self, packet: &Packet) -> bool {
        packet.version == self.version && packet.source == self.source
    }

    /// Takes the protection off a packet of this connection.
    pub(super) fn open(&self, packet: &Packet) -> Option<Opened> {
        self.keys.open(packet, self.largest)
    }

    /// Notes that the capture has only the start of a packet.
    pub(super) fn handle_cut(&mut self, time_ns: u64) {
        self.cut = true;
        self.last_ns = self.last_ns.max(time_ns);
    }

    /// Whether it is a client's that was sent a Retry, and says again what it said on
    /// the earlier connection: `message`.
    ///
    /// *Source*: RFC 9000 section 17.2.5.2: the message is the same, and so is the name
    /// that the client gave itself.
    pub(super) fn follows(&self, earlier: &Self, message: &Bytes) -> bool {
        self.has_token
            && (self.version, self.source) == (earlier.version, earlier.source)
            && match earlier.state {
                State::Open => earlier.has(0, message),
                State::Read(len) => len == message.len() && earlier.has(0, message),
                State::Closed => false,
            }
    }

    /// Whether the frames of a packet repeat what is there.
    ///
    /// *Shape*: frames behind the first [`MAX_FRAMES`] are not looked at.
    fn agrees(&self, opened: &Opened, end: usize) -> bool {
        let most = usize::try_from(MAX_FRAMES).unwrap_or(usize::MAX);
        let frames = Frames::of(&opened.payload).flatten().take(most);
        let mut placed = frames.filter_map(|crypto| placed(&crypto, end));
        placed.all(|(start, bytes)| self.has(start, &bytes))
    }

    /// Whether none of the bytes is another than what is there.
    fn has(&self, start: usize, bytes: &Bytes) -> bool {
        self.pieces.holes(start, bytes).is_ok()
    }

    /// Takes a packet out of the datagram of that number.
    pub(super) fn handle(&mut self, opened: &Opened, datagram: u32, time_ns: u64) -> Option<Told> {
        self.largest = self.largest.max(Some(opened.number));
        self.packets += 1;
        let told = match self.state {
            State::Open => {
                self.last_ns = self.last_ns.max(time_ns);
                self.extend(opened, datagram).unwrap_or_else(|cause| Some(Err(cause)))
            }
            State::Read(end) if self.is_over() || self.agrees(opened, end) => None,
            State::Read(_) => Some(Err(Cause::Conflict)),
            State::Closed => None,
        };
        if let Some(Err(_)) = told {
            self.close();
        }
        told
    }

    fn extend(&mut self, opened: &Opened, datagram: u32) -> Result<Option<Told>, Cause> {
        let mut is_new = false;
        for crypto in Frames::of(&opened.payload) {
            let crypto = crypto.map_err(|_| Cause::Malformed)?;
            self.frames += 1;
            if self.frames > MAX_FRAMES {
                return Err(Cause::TooManySegments);
            }
            if let Some((start, bytes)) = placed(&crypto, MAX_MESSAGE_BYTES) {
                let inserted = self.pieces.insert(start, &bytes, datagram);
                is_new |= inserted.map_err(|_| Cause::Conflict)?;
            }
        }
        if is_new {
            self.datagrams = self.pieces.segments();
            self.held_bytes += opened.payload.len();
            if let Some(hello) = self.read()? {
                return Ok(Some(Ok(hello)));
            }
        }
        if self.packets > MAX_PACKETS { Err(Cause::TooManySegments) } else { Ok(None) }
    }

    /// The hello, if it is all there.
    fn read(&mut self) -> Result<Option<Hello>, Cause> {
        let present = self.pieces.prefix();
        let len = match *present {
            [kind, ..] if kind != CLIENT_HELLO => return Err(Cause::Malformed),
            [_, a, b, c, ..] => u32::from_be_bytes([0, a, b, c]),
            _ => return Ok(None),
        };
        let len = usize::try_from(len).unwrap_or(usize::MAX).saturating_add(HEADER_LEN);
        if len > MAX_MESSAGE_BYTES {
            return Err(Cause::TooLong);
        }
        if present.len() < len {
            return Ok(None);
        }
        // What follows it is the second hello, after a HelloRetryRequest.
        self.pieces.truncate(len);
        self.datagrams = self.pieces.segments();
        self.state = State::Read(len);
        let message = self.keep_alone(&present.slice(..len))?;
        Hello::over(message, Transport::Quic).map(Some)
    }

    /// Lets go of the packets that a message came in.
    fn keep_alone(&mut self, message: &[u8]) -> Result<Bytes, Cause> {
        let message = Bytes::copy_from_slice(message);
        self.pieces.clear();
        self.pieces.insert(0, &message, 0).map_err(|_| Cause::Conflict)?;
        self.held_bytes = message.len();
        Ok(message)
    }

    /// Gives up; what is left swallows further packets.
    pub(super) fn close(&mut self) {
        self.state = State::Closed;
        self.pieces.clear();
        self.held_bytes = 0;
    }

    /// Why it isn't whole.
    pub(super) fn unfinished(&self) -> Cause {
        match (self.cut, self.pieces.goes_on()) {
            (true, _) => Cause::Truncated,
            (false, true) => Cause::Gap,
            (false, false) => Cause::TimedOut,
        }
    }
}

/// What of a frame lies in front of `end`, and where.
fn placed(crypto: &Crypto, end: usize) -> Option<(usize, Bytes)> {
    let start = usize::try_from(crypto.offset).ok()?;
    let len = end.checked_sub(start)?.min(crypto.bytes.len());
    (len > 0).then(|| (start, crypto.bytes.slice(..len)))
}
