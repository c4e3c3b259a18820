//! How connections begin, as far as a capture shows it.

use super::link::Frame;
use crate::fingerprint::{Flow, Outcome};
use crate::replay::ip_addr;
use filter_common::wire::cursor::SlicePacket;
use filter_common::wire::frame::{self, Kind};
use filter_common::wire::syn::{self, Syn};
use std::collections::{HashMap, VecDeque};

/// Connections whose beginning is remembered. At the limit the one that came first is forgotten:
/// nothing is known of its hello then but the hello.
const MAX_OPENINGS: usize = 65_536;

/// The beginnings of connections.
#[derive(Debug, Default)]
pub(super) struct Openings {
    known: HashMap<Flow, Opening>,
    /// In the order in which they came.
    order: VecDeque<Flow>,
}

/// What is known of a connection.
#[derive(Debug)]
struct Opening {
    syn: Option<Syn>,
    /// The sequence number of the client's first byte.
    first: u32,
    /// That of the server's first byte, once it has answered.
    answered: Option<u32>,
    /// Whether the client knew that number: it gets what is sent to its address.
    is_proven: bool,
}

impl Openings {
    /// Takes in what a frame says of a connection's beginning.
    pub(super) fn handle_frame(&mut self, frame: Frame<'_>) {
        let Some(parsed) = parsed(frame) else {
            return;
        };
        let (tcp, flow) = (&parsed.tcp, flow_of(&parsed));
        if tcp.flags.opens() {
            self.open(flow, tcp.first(), syn_in(frame, &parsed));
        } else if tcp.flags.synchronizes() {
            let client = Flow { source: flow.destination, destination: flow.source };
            let asked = self.known.get_mut(&client);
            if let Some(opening) = asked.filter(|one| one.first == tcp.acknowledgement) {
                opening.answered = Some(tcp.sequence.wrapping_add(1));
            }
        } else if tcp.flags.acknowledges()
            && let Some(opening) = self.known.get_mut(&flow)
        {
            opening.is_proven |= opening.answered == Some(tcp.acknowledgement);
        }
    }

    /// Adds to a hello what is known of its connection.
    pub(super) fn complete(&self, outcome: Outcome) -> Outcome {
        let ja3 = outcome.result.as_ref().ok().map(|hello| hello.fingerprint.ja3.0);
        let start = ja3.and_then(|ja3| ja3.first_chunk().copied());
        let wire = start.map_or(0, u64::from_be_bytes);
        let Some(opening) = self.known.get(&outcome.flow) else {
            return Outcome { wire, ..outcome };
        };
        Outcome {
            wire,
            proven: opening.is_proven,
            is_first: opening.first == outcome.stream_start,
            syn: opening.syn,
            ..outcome
        }
    }

    fn open(&mut self, flow: Flow, first: u32, syn: Option<Syn>) {
        let known = self.known.get(&flow);
        if known.is_some_and(|opening| opening.first == first) {
            return;
        }
        if known.is_none() {
            self.order.push_back(flow);
        }
        let opening = Opening { syn, first, answered: None, is_proven: false };
        self.known.insert(flow, opening);
        if self.order.len() > MAX_OPENINGS
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

/// The frame as the filter reads it, if a TCP header is in it.
pub(super) fn parsed(frame: Frame<'_>) -> Option<frame::Frame> {
    let mut parsed = frame::Frame::default();
    frame::parse(&SlicePacket::new(frame.bytes), &mut parsed);
    (parsed.kind == Kind::Tcp).then_some(parsed)
}

/// Who speaks to whom in it.
pub(super) fn flow_of(parsed: &frame::Frame) -> Flow {
    Flow {
        source: (ip_addr(&parsed.source), parsed.tcp.source_port).into(),
        destination: (ip_addr(&parsed.destination), parsed.tcp.destination_port).into(),
    }
}

/// The SYN in a frame, unless the capture has cut it.
fn syn_in(frame: Frame<'_>, parsed: &frame::Frame) -> Option<Syn> {
    let end = parsed.tcp.offset + u32::from(parsed.tcp.header_len);
    let is_whole = usize::try_from(end).is_ok_and(|end| end <= frame.captured);
    is_whole.then(|| syn::parse(&SlicePacket::new(frame.bytes), parsed)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Cause;
    use filter_common::abi::counter::Verdict;

    const CLIENT: ([u8; 4], u16) = ([192, 0, 2, 1], 4000);
    const SERVER: ([u8; 4], u16) = ([192, 0, 2, 2], 443);
    const SYN: u8 = 2;
    const ACK: u8 = 16;

    /// A bare segment.
    fn segment(
        (from, to): (([u8; 4], u16), ([u8; 4], u16)),
        (sequence, acknowledgement): (u32, u32),
        flags: u8,
    ) -> Vec<u8> {
        let mut bytes = vec![0; 12];
        bytes.extend([8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0]);
        bytes.extend([from.0, to.0].concat());
        bytes.extend([from.1, to.1].map(u16::to_be_bytes).concat());
        bytes.extend([sequence, acknowledgement].map(u32::to_be_bytes).concat());
        bytes.extend([0x50, flags, 1, 0, 0, 0, 0, 0]);
        bytes
    }

    fn outcome() -> Outcome {
        let flow = Flow { source: CLIENT.into(), destination: SERVER.into() };
        Outcome {
            flow,
            stream_start: 8,
            segments: 1,
            proven: false,
            time_ns: 0,
            wire: 0,
            is_first: false,
            syn: None,
            verdict: Verdict::PASS,
            result: Err(Cause::Gap),
        }
    }

    fn after(segments: &[Vec<u8>]) -> Outcome {
        let mut openings = Openings::default();
        for bytes in segments {
            openings.handle_frame(Frame { bytes, captured: bytes.len() });
        }
        openings.complete(outcome())
    }

    #[test]
    fn who_acknowledges_the_servers_answer_is_proven() {
        let (asks, answers) = ((CLIENT, SERVER), (SERVER, CLIENT));
        let syn = segment(asks, (7, 0), SYN);
        let answer = segment(answers, (70, 8), SYN | ACK);
        let ack = |number| segment(asks, (8, number), ACK);
        let proven = |segments: &[Vec<u8>]| after(segments).proven;
        assert!(proven(&[syn.clone(), answer.clone(), ack(71)]));
        assert!(!proven(&[syn.clone(), answer.clone(), ack(72)]), "a guess");
        assert!(!proven(&[syn.clone(), ack(71)]), "there was no answer");
        assert!(!proven(&[syn.clone(), segment(answers, (70, 9), SYN | ACK), ack(71)]));
        assert!(!proven(&[answer.clone(), ack(71)]), "nobody asked");
        let again = segment(asks, (9, 0), SYN);
        assert!(!proven(&[syn, answer, ack(71), again]), "another connection");
    }

    #[test]
    fn a_hello_behind_its_syn_is_the_first() {
        let first = after(&[segment((CLIENT, SERVER), (7, 0), SYN)]);
        assert!(first.is_first && first.syn.is_some_and(|syn| syn.window == 256));
        let later = after(&[segment((CLIENT, SERVER), (6, 0), SYN)]);
        assert!(!later.is_first && later.syn.is_some());
        assert_eq!(after(&[]), outcome());
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut openings = Openings::default();
        let most = u32::try_from(MAX_OPENINGS).unwrap();
        for number in 0..=most {
            let source = (std::net::Ipv4Addr::from_bits(number), 1).into();
            openings.open(Flow { source, destination: SERVER.into() }, 1, None);
        }
        assert_eq!((openings.known.len(), openings.order.len()), (MAX_OPENINGS, MAX_OPENINGS));
    }
}
