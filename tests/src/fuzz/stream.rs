//! Streams of segments with hellos in them, of which both engines must make the same.

use super::{Target, hello};
use crate::packet::{Packet, Segment};
use anyhow::{Context, Result, ensure};
use filter_user::capture::{Engine, Frame, HostEngine, KernelEngine};
use filter_user::fingerprint::{Cause, Outcome};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// Both engines, and how many hellos they have told of.
pub(super) struct Engines {
    host: HostEngine,
    kernel: KernelEngine,
    fingerprints: u64,
    causes: u64,
}

impl Engines {
    pub(super) fn open() -> Result<Self> {
        let (host, kernel) = (HostEngine::default(), KernelEngine::new()?);
        Ok(Self { host, kernel, fingerprints: 0, causes: 0 })
    }
}

impl Target for Engines {
    /// *Shape*: frames, each behind its length in two bytes.
    fn input(&mut self, rng: &mut StdRng) -> Vec<u8> {
        let mut input = Vec::new();
        for frame in frames(rng) {
            input.extend(u16::try_from(frame.len()).unwrap_or(0).to_be_bytes());
            input.extend(frame);
        }
        input
    }

    fn check(&mut self, input: &[u8]) -> Result<()> {
        let host = told(&mut self.host, input)?;
        let mut kernel = told(&mut self.kernel, input)?;
        // Where another hello of the flow has taken the place of one that it gave up, the kernel
        // knows no more that it did, and gives it up again if it comes again.
        kernel.dedup_by(|again, told| {
            again.start == told.start && again.result.is_err() && told.result.is_err()
        });
        // In a stream that begins with something else, what looks like a hello's start may come
        // anywhere, and twice at once: the kernel gives up the earlier of two.
        let starts: Vec<_> = host.iter().map(|told| told.start).collect();
        if !first_byte(input).is_some_and(|first| starts.contains(&first)) {
            kernel.retain(|told| told.result.is_ok() || starts.contains(&told.start));
        }
        let same = host.len() == kernel.len() && host.iter().zip(&kernel).all(|(a, b)| a.agrees(b));
        ensure!(same, "the host says {host:#?}\nthe kernel says {kernel:#?}");
        let found = host.iter().filter(|told| told.result.is_ok()).count();
        self.fingerprints += u64::try_from(found)?;
        self.causes += u64::try_from(host.len() - found)?;
        Ok(())
    }

    fn summary(&self) -> Option<String> {
        let Self { fingerprints, causes, .. } = self;
        Some(format!("{fingerprints} fingerprints, {causes} hellos without one"))
    }
}

/// Where a stream starts: behind the SYN, which is its first frame.
fn first_byte(input: &[u8]) -> Option<u32> {
    let sequence = input.get(LEN_BYTES + SEQUENCE_AT..)?.first_chunk()?;
    Some(u32::from_be_bytes(*sequence).wrapping_add(1))
}

/// Bytes of a frame's length, and where in a frame its sequence number lies.
const LEN_BYTES: usize = 2;
const SEQUENCE_AT: usize = 14 + 20 + 4;

/// What an engine said of a hello.
#[derive(Debug)]
struct Told {
    start: u32,
    result: Result<String, Cause>,
}

impl Told {
    /// A hello that is malformed behind its 512th value is what is noticed first.
    fn agrees(&self, kernel: &Self) -> bool {
        let either =
            self.result == Err(Cause::Malformed) && kernel.result == Err(Cause::TooManyValues);
        self.start == kernel.start && (self.result == kernel.result || either)
    }
}

fn told(engine: &mut dyn Engine, input: &[u8]) -> Result<Vec<Told>> {
    let mut rest = input;
    while let Some((len, behind)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes(*len));
        let (bytes, behind) = behind.split_at_checked(len).context("a frame is cut short")?;
        engine.handle_frame(Frame { bytes, captured: len }, 0)?;
        rest = behind;
    }
    engine.finish()?;
    let tell = |Outcome { stream_start, result, .. }| Told {
        start: stream_start,
        result: result.map(|hello| hello.fingerprint.ja4.to_string()),
    };
    let mut told: Vec<_> = std::iter::from_fn(|| engine.poll_outcome()).map(tell).collect();
    told.sort_by_key(|told| told.start);
    Ok(told)
}

/// The control bit of an urgent byte.
const URG: u8 = 0x20;

const PORTS: (u16, u16) = (40_000, 443);

/// A connection's first segments, in some order.
fn frames(rng: &mut StdRng) -> Vec<Vec<u8>> {
    let start: u32 =
        if rng.random_ratio(1, 8) { u32::MAX - rng.random_range(0..2000) } else { rng.random() };
    let several = rng.random_ratio(1, 3);
    let stream = stream(rng, several);
    let mut pieces = split(&stream, rng);
    trouble(&mut pieces, several, rng);
    let mut frames = Vec::new();
    // Without it, bytes in the middle of a hello may look like the start of another, and of two
    // at once the kernel keeps the later one.
    frames.push(packet().tcp(Segment::syn(PORTS, start.wrapping_sub(1))).build());
    frames.extend(pieces.iter().map(|piece| {
        let at = start.wrapping_add(u32::try_from(piece.at).unwrap_or(0));
        let data = Segment::data(PORTS, at, &piece.bytes);
        let flags = if piece.is_urgent { data.flags | URG } else { data.flags };
        let mut frame = packet().tcp(Segment { flags, ..data }).build();
        if piece.is_bad
            && let Some(last) = frame.last_mut()
        {
            *last ^= 1;
        }
        frame
    }));
    frames
}

const fn packet() -> Packet {
    Packet::v4([192, 0, 2, 1], [198, 51, 100, 7])
}

/// A hello in its records, and something behind it.
fn stream(rng: &mut StdRng, several: bool) -> Vec<u8> {
    let mut message = hello::hello(rng);
    for _ in 0..rng.random_range(0..3) {
        let at = rng.random_range(0..message.len());
        if rng.random_ratio(1, 3) {
            message[at] = rng.random();
        }
    }
    let mut stream = Vec::new();
    let mut rest = message.as_slice();
    while !rest.is_empty() {
        let most = if several { rng.random_range(1..=rest.len()) } else { rest.len() };
        let (some, behind) = rest.split_at(most);
        stream.extend([0x16, 3, 1]);
        stream.extend(u16::try_from(some.len()).unwrap_or(0).to_be_bytes());
        stream.extend(some);
        rest = behind;
    }
    stream.extend((0..rng.random_range(0..40)).map(|_| rng.random::<u8>()));
    stream
}

/// Bytes of the stream, and where they belong.
struct Piece {
    at: usize,
    bytes: Vec<u8>,
    is_bad: bool,
    is_urgent: bool,
}

fn split(stream: &[u8], rng: &mut StdRng) -> Vec<Piece> {
    let most = [1460, 536, 100, 20, 3][rng.random_range(0..5)];
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < stream.len() {
        let len = rng.random_range(1..=most).min(stream.len() - at);
        pieces.push(Piece {
            at,
            bytes: stream[at..at + len].to_vec(),
            is_bad: false,
            is_urgent: false,
        });
        at += len;
    }
    pieces
}

/// What networks and attackers do to segments.
fn trouble(pieces: &mut Vec<Piece>, several: bool, rng: &mut StdRng) {
    if rng.random_ratio(1, 3) {
        let at = rng.random_range(0..pieces.len());
        let end = pieces.len().min(at + rng.random_range(1..5));
        pieces[at..end].shuffle(rng);
    }
    if rng.random_ratio(1, 8) {
        pieces.shuffle(rng);
    }
    if rng.random_ratio(1, 6) {
        pieces.remove(rng.random_range(0..pieces.len()));
    }
    if pieces.is_empty() {
        return;
    }
    for _ in 0..rng.random_range(0..3) {
        let piece = &pieces[rng.random_range(0..pieces.len())];
        let from = rng.random_range(0..piece.bytes.len());
        let mut again = Piece {
            at: piece.at + from,
            bytes: piece.bytes[from..].to_vec(),
            is_bad: false,
            is_urgent: false,
        };
        // What lay in several records isn't compared once it is joined.
        if !several && rng.random_ratio(1, 4) {
            let at = rng.random_range(0..again.bytes.len());
            again.bytes[at] = rng.random();
        }
        let place = rng.random_range(0..=pieces.len());
        pieces.insert(place, again);
    }
    if rng.random_ratio(1, 8) {
        let at = rng.random_range(0..pieces.len());
        pieces[at].is_bad = true;
    }
    if rng.random_ratio(1, 20) {
        let at = rng.random_range(0..pieces.len());
        pieces[at].is_urgent = true;
    }
}
