//! What makes a hello evidence: a local TCP socket waits for its very bytes.
//!
//! XDP sees packets before TCP has validated anything, so whoever can write a source address
//! could frame it. A socket that has shaken hands with the address knows two numbers that
//! nobody else on the path does: which byte comes next, and which of the server's bytes may be
//! acknowledged.

use crate::abi::hello::{HELLO_WINDOW, HelloRecord};
use crate::wire::frame::Frame;

/// What a socket has of its client's stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Received {
    /// The sequence number that comes next.
    pub next: u32,
    /// That of the stream's first byte.
    pub first: u32,
    /// That of the server's first byte, which no client chooses: it tells connections apart that
    /// are alike in all else.
    pub server: u32,
}

/// What a socket waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// What it has.
    pub received: Received,
    /// The oldest of the server's bytes that a client may acknowledge again.
    pub oldest: u32,
    /// Behind the last that the server has sent.
    pub sent: u32,
}

impl Expected {
    /// What a connection waits for whose handshake isn't over: the initial sequence numbers of
    /// client and server, and nothing behind them.
    #[inline(always)]
    #[must_use]
    pub const fn of_request(client: u32, server: u32) -> Self {
        let (first, sent) = (client.wrapping_add(1), server.wrapping_add(1));
        Self { received: Received { next: first, first, server: sent }, oldest: sent, sent }
    }
}

/// In [`Frame::evidence`]: the socket was found, and [`Frame::received`] is what it has.
const RECEIVED: u8 = 2;

/// Notes what the frame's socket waits for. `true` if it is the segment: bytes that it doesn't
/// have, not further ahead than a hello reaches, and an acknowledgement of what was sent.
///
/// Who doesn't see the connection has to hit both: one in 2^18 numbers, and one in 2^16 as long
/// as the client's window is an ordinary one (the stack takes old acknowledgements that far
/// back, RFC 5961 section 5.2).
#[inline(always)]
pub const fn meet(frame: &mut Frame, expected: &Expected) -> bool {
    frame.received = expected.received;
    frame.evidence = RECEIVED;
    let (tcp, next) = (&frame.tcp, expected.received.next);
    let ahead = tcp.first().wrapping_sub(next);
    let behind = next.wrapping_sub(tcp.first());
    // The stack takes an urgent pointer from bytes, too, that it has.
    let is_old = tcp.flags.is_urgent() && behind <= tcp.payload_len();
    let is_next = ahead < HELLO_WINDOW || behind < tcp.payload_len() || is_old;
    let acknowledged = tcp.acknowledgement.wrapping_sub(expected.oldest);
    let sent = expected.sent.wrapping_sub(expected.oldest);
    let is_met = is_next && tcp.flags.acknowledges() && acknowledged <= sent;
    frame.evidence |= HelloRecord::PROVEN * is_met as u8;
    is_met
}

impl Frame {
    /// Whether it is known what the local socket has.
    #[inline(always)]
    #[must_use]
    pub const fn has_socket(&self) -> bool {
        self.evidence & RECEIVED != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::header::TcpFlags;

    fn frame(sequence: u32, acknowledgement: u32) -> Frame {
        let mut frame = Frame::default();
        frame.tcp.sequence = sequence;
        frame.tcp.acknowledgement = acknowledgement;
        (frame.tcp.len, frame.tcp.header_len) = (120, 20);
        frame.tcp.flags = TcpFlags(0x10);
        frame
    }

    fn expected(next: u32, oldest: u32, sent: u32) -> Expected {
        Expected { received: Received { next, first: 1, server: 3 }, oldest, sent }
    }

    #[test]
    fn the_next_bytes_fit_and_others_do_not() {
        let expected = expected(u32::MAX, 7, 9);
        let tried = |ahead: u32| meet(&mut frame(u32::MAX.wrapping_add(ahead), 7), &expected);
        assert!(tried(0) && tried(1) && tried(HELLO_WINDOW - 1));
        assert!(tried(u32::MAX), "one byte of it came before");
        assert!(tried(u32::MAX - 98) && !tried(u32::MAX - 99), "the last is the next");
        assert!(!tried(HELLO_WINDOW) && !tried(1 << 31));
    }

    #[test]
    fn only_what_was_sent_can_be_acknowledged() {
        let expected = expected(100, u32::MAX, 2);
        let tried = |acknowledged: u32| meet(&mut frame(100, acknowledged), &expected);
        assert!([u32::MAX, 0, 1, 2].into_iter().all(tried));
        assert!(![u32::MAX - 1, 3, 1 << 31].into_iter().any(tried));
        let mut bare = frame(100, 2);
        bare.tcp.flags = TcpFlags(0);
        assert!(!meet(&mut bare, &expected), "without the flag the number says nothing");
    }

    #[test]
    fn a_request_waits_for_the_first_byte() {
        let expected = Expected::of_request(99, u32::MAX);
        assert!(meet(&mut frame(100, 0), &expected));
        assert!(!meet(&mut frame(100, 1), &expected));
        assert!(!meet(&mut frame(99, u32::MAX), &expected));
    }

    #[test]
    fn what_the_socket_has_is_known_of_a_segment_too_that_it_does_not_wait_for() {
        let mut frame = frame(0, 0);
        assert!(!frame.has_socket());
        assert!(!meet(&mut frame, &expected(100, 7, 9)) && frame.has_socket());
        assert_eq!((frame.received.next, frame.evidence & HelloRecord::PROVEN), (100, 0));
    }
}
