//! What makes a hello evidence: a local TCP socket waits for its very bytes.
//!
//! XDP sees packets before TCP has validated anything, so whoever can write a source address
//! could frame it. A socket that has shaken hands with the address knows two numbers that
//! nobody else on the path does: which byte comes next, and which of the server's bytes may be
//! acknowledged.

use crate::abi::hello::HELLO_WINDOW;
use crate::wire::frame::Frame;

/// What a socket waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The sequence number that comes next.
    pub next: u32,
    /// The first of the server's that wasn't acknowledged.
    pub unacknowledged: u32,
    /// Behind the last that the server has sent.
    pub sent: u32,
}

impl Expected {
    /// What a connection waits for whose handshake isn't over: the initial sequence numbers of
    /// client and server, and nothing behind them.
    #[inline(always)]
    #[must_use]
    pub const fn of_request(client: u32, server: u32) -> Self {
        let acknowledged = server.wrapping_add(1);
        Self { next: client.wrapping_add(1), unacknowledged: acknowledged, sent: acknowledged }
    }
}

/// Whether the segment is what the socket waits for: bytes that it doesn't have, not further
/// ahead than a hello reaches, and an acknowledgement of what was sent.
///
/// Who doesn't see the connection has to hit both: one in 2^18 numbers, and one in 2^32 as long
/// as the server has sent nothing (RFC 9293 section 3.10.7.4 asks for less).
#[inline(always)]
#[must_use]
pub const fn fits(frame: &Frame, expected: &Expected) -> bool {
    let tcp = &frame.tcp;
    let ahead = tcp.first().wrapping_sub(expected.next);
    let behind = expected.next.wrapping_sub(tcp.first());
    let is_next = ahead < HELLO_WINDOW || behind < tcp.payload_len();
    let acknowledged = tcp.acknowledgement.wrapping_sub(expected.unacknowledged);
    let sent = expected.sent.wrapping_sub(expected.unacknowledged);
    is_next && tcp.flags.acknowledges() && acknowledged <= sent
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

    #[test]
    fn the_next_bytes_fit_and_others_do_not() {
        let expected = Expected { next: u32::MAX, unacknowledged: 7, sent: 9 };
        let tried = |ahead: u32| fits(&frame(u32::MAX.wrapping_add(ahead), 7), &expected);
        assert!(tried(0) && tried(1) && tried(HELLO_WINDOW - 1));
        assert!(tried(u32::MAX), "one byte of it came before");
        assert!(tried(u32::MAX - 98) && !tried(u32::MAX - 99), "the last is the next");
        assert!(!tried(HELLO_WINDOW) && !tried(1 << 31));
    }

    #[test]
    fn only_what_was_sent_can_be_acknowledged() {
        let expected = Expected { next: 100, unacknowledged: u32::MAX, sent: 2 };
        let tried = |acknowledged: u32| fits(&frame(100, acknowledged), &expected);
        assert!([u32::MAX, 0, 1, 2].into_iter().all(tried));
        assert!(![u32::MAX - 1, 3, 1 << 31].into_iter().any(tried));
        let mut bare = frame(100, 2);
        bare.tcp.flags = TcpFlags(0);
        assert!(!fits(&bare, &expected), "without the flag the number says nothing");
    }

    #[test]
    fn a_request_waits_for_the_first_byte() {
        let expected = Expected::of_request(99, u32::MAX);
        assert!(fits(&frame(100, 0), &expected));
        assert!(!fits(&frame(100, 1), &expected) && !fits(&frame(99, u32::MAX), &expected));
    }
}
