//! The filter between a program that feeds it and real sockets.

use super::connections::{Connection, Connections, PORT};
use crate::bench::measure::{Tell, cpu_ns};
use crate::captures::first_hello;
use crate::kernel::KernelFilter;
use crate::packet::{Packet, Segment};
use crate::rules;
use anyhow::{Context, Result, ensure};
use filter_common::abi::config::HostConfig;
use filter_common::abi::feeding::{STAMPS, Stamp, TCP_OFFSET};
use filter_common::abi::hello::HelloSet;
use filter_common::wire::checksum::fold;
use filter_user::datapath::mapped::MappedArray;
use filter_user::datapath::test_run::TestProgram;
use filter_user::fingerprint::Fingerprint;
use zerocopy::FromZeros;

/// Everything that a round needs.
pub(super) struct Bed {
    connections: Connections,
    /// The filter with fingerprints, without, and a program that does nothing.
    fed: [Fed; 3],
    hello: Vec<u8>,
    short: Vec<u8>,
    /// Cipher suites that no hello had yet.
    next_cipher: u16,
}

/// A program, and what feeds it.
struct Fed {
    feeding: TestProgram,
    stamps: MappedArray<Stamp>,
    turn: MappedArray<u64>,
    filter: Option<KernelFilter>,
    // The program that is fed has to live as long.
    _target: Option<TestProgram>,
}

/// Bytes of the first segment of two.
const FIRST_LEN: usize = 1448;

/// A frame in which connections differ.
struct Piece<'a> {
    /// Where in the stream it starts.
    offset: usize,
    bytes: &'a [u8],
    /// Where in the payload each one gets a number of its own, so that no two are alike, and
    /// the first of these.
    varied: Option<(usize, u16)>,
}

impl Bed {
    pub(super) fn new() -> Result<Self> {
        let connections = Connections::open(usize::try_from(STAMPS)?)?;
        let fed =
            [Fed::filter(HostConfig::SOCKET)?, Fed::filter(HostConfig::OFF)?, Fed::nothing()?];
        let (hello, short) = (first_hello(BROWSER)?, first_hello(TOOL)?);
        ensure!(hello.len() > FIRST_LEN && short.len() <= FIRST_LEN, "unfit hellos");
        Ok(Self { connections, fed, hello, short, next_cipher: FIRST_CIPHER })
    }

    /// Measures each case once.
    pub(super) fn round(&mut self, tell: &mut Tell) -> Result<()> {
        let Self { connections, fed, hello, short, next_cipher } = self;
        let mut unknown = || {
            let first = *next_cipher;
            *next_cipher = first.checked_add(STEP).unwrap_or(FIRST_CIPHER);
            Some((CIPHERS, first))
        };
        let all = &connections.all;
        let [on, off, none] = fed;
        let empty = none.run(all, &Piece::whole(short))?;
        tell("empty".into(), "empty".into(), empty);
        let data = Piece { offset: 1 << 20, bytes: &[0x17; 100], varied: None };
        let empty_data = none.run_often(all, &data)?;
        for (name, fed) in [("data/tls_off", &mut *off), ("data/tls_on", &mut *on)] {
            let ns = fed.run_often(all, &data)? - empty_data;
            tell(name.into(), "data/tls_off".into(), ns);
        }
        for name in ["hit", "miss"] {
            let mut varied = || if name == "miss" { unknown() } else { None };
            let whole = Piece { offset: 0, bytes: short, varied: varied() };
            on.forget()?;
            tell(format!("1seg/{name}"), "user/1seg".into(), on.run(all, &whole)? - empty);
            let (first, second) = hello.split_at(FIRST_LEN);
            let first = Piece { offset: 0, bytes: first, varied: varied() };
            let second = Piece { offset: FIRST_LEN, bytes: second, varied: None };
            on.forget()?;
            let ns = on.run(all, &first)? + on.run(all, &second)? - 2.0 * empty;
            tell(format!("2seg/{name}"), "user/2seg".into(), ns);
        }
        let worst = worst();
        let whole = Piece { offset: 0, bytes: &worst, varied: unknown() };
        on.forget()?;
        tell("worst".into(), "user/worst".into(), on.run(all, &whole)? - empty);
        for (name, bytes) in [("1seg", &*short), ("2seg", &*hello), ("worst", &worst)] {
            tell(format!("user/{name}"), format!("user/{name}"), in_userspace(bytes)?);
        }
        Ok(())
    }
}

impl<'a> Piece<'a> {
    const fn whole(bytes: &'a [u8]) -> Self {
        Self { offset: 0, bytes, varied: None }
    }
}

/// Where the first cipher suites lie: behind the headers of record and message, the version,
/// the random bytes and the session.
const CIPHERS: usize = 5 + 4 + 2 + 32 + 1 + 32 + 2 + 2;

/// From here on there are no cipher suites.
const FIRST_CIPHER: u16 = 0x2000;
/// So many are used in one turn.
const STEP: u16 = 0x80;

impl Fed {
    fn filter(evidence: u32) -> Result<Self> {
        let mut filter = KernelFilter::load()?;
        let mut rules = rules::nothing();
        rules.config.evidence = evidence;
        filter.fill(&rules)?;
        let feeding = TestProgram::feeding(&mut filter.program)?;
        Self::new(feeding, Some(filter), None)
    }

    fn nothing() -> Result<Self> {
        let mut target = TestProgram::baseline("empty")?;
        let feeding = TestProgram::feeding(&mut target)?;
        Self::new(feeding, None, Some(target))
    }

    fn new(
        mut feeding: TestProgram,
        filter: Option<KernelFilter>,
        target: Option<TestProgram>,
    ) -> Result<Self> {
        let (stamps, turn) = (feeding.mapped("STAMPS")?, feeding.mapped("TURN")?);
        Ok(Self { feeding, stamps, turn, filter, _target: target })
    }

    /// Forgets what was put together, as if all connections were new.
    fn forget(&mut self) -> Result<()> {
        let Some(filter) = &mut self.filter else {
            return Ok(());
        };
        let mut sets: MappedArray<HelloSet> = filter.program.mapped("HELLO_SETS")?;
        sets.fill(&[HelloSet::new_zeroed()]);
        filter.program.clear_flows()?;
        filter.drain();
        Ok(())
    }

    /// Feeds the piece to each connection once; nanoseconds a frame.
    fn run(&mut self, all: &[Connection], piece: &Piece) -> Result<f64> {
        self.run_times(all, piece, STAMPS)
    }

    /// The same again and again, for pieces that change nothing.
    fn run_often(&mut self, all: &[Connection], piece: &Piece) -> Result<f64> {
        self.run_times(all, piece, 1000 * STAMPS)
    }

    fn run_times(&mut self, all: &[Connection], piece: &Piece, times: u32) -> Result<f64> {
        let stamps: Vec<Stamp> =
            all.iter().zip(0..).map(|(connection, turn)| stamp(connection, piece, turn)).collect();
        self.stamps.write(0, &stamps);
        self.turn.fill(&[0]);
        let outcome = self.feeding.run(&frame(piece), times)?;
        ensure!(outcome.action == PASS, "action {}", outcome.action);
        Ok(outcome.per_frame.as_secs_f64() * 1e9)
    }
}

const PASS: u32 = 2;
const LOOPBACK: [u8; 4] = [127, 0, 0, 1];

fn frame(piece: &Piece) -> Vec<u8> {
    Packet::v4(LOOPBACK, LOOPBACK).tcp(Segment::data((0, PORT), 0, piece.bytes)).build()
}

/// What makes the frame a segment of this connection.
fn stamp(connection: &Connection, piece: &Piece, turn: u16) -> Stamp {
    let offset = u32::try_from(piece.offset).unwrap_or(u32::MAX);
    let sequence = connection.next.wrapping_add(offset);
    let payload = TCP_OFFSET + 20;
    let (at, value) = piece.varied.map_or((0, 0), |(at, first)| (payload + at, first + turn));
    let halves =
        |word: u32| [word >> 16, word & 0xffff].map(|half| u16::try_from(half).unwrap_or(0));
    let wire = |halves: [u16; 2]| halves.map(u16::to_be);
    let mut bytes = frame(piece);
    let written = [
        (TCP_OFFSET, connection.port),
        (TCP_OFFSET + 4, halves(sequence)[0]),
        (TCP_OFFSET + 6, halves(sequence)[1]),
        (TCP_OFFSET + 8, halves(connection.sent)[0]),
        (TCP_OFFSET + 10, halves(connection.sent)[1]),
        (TCP_OFFSET + 16, 0),
    ];
    for (at, number) in written.into_iter().chain(piece.varied.map(|_| (at, value))) {
        bytes[at..at + 2].copy_from_slice(&number.to_be_bytes());
    }
    Stamp {
        port: connection.port.to_be(),
        checksum: checksum(&bytes).to_be(),
        sequence: wire(halves(sequence)),
        acknowledgement: wire(halves(connection.sent)),
        at: u16::try_from(at).unwrap_or(0),
        value: value.to_be(),
    }
}

/// The checksum of the frame's segment, whose own is zero.
fn checksum(frame: &[u8]) -> u16 {
    let sum = |bytes: &[u8]| -> u64 {
        bytes.chunks(2).map(|b| u64::from(b[0]) << 8 | u64::from(*b.get(1).unwrap_or(&0))).sum()
    };
    let segment = &frame[TCP_OFFSET..];
    let len = u64::try_from(segment.len()).unwrap_or(0);
    let all = sum(&frame[26..34]) + 6 + len + sum(segment);
    !u16::try_from(fold(all)).unwrap_or(0)
}

const BROWSER: &[u8] = include_bytes!("../../../corpus/hellos/curl_cffi-chrome136.pcap");
const TOOL: &[u8] = include_bytes!("../../../corpus/hellos/nmap-http-title.pcap");

/// The hello that takes longest: as many values as are read, in the order that takes longest.
fn worst() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([9; 32]);
    body.push(32);
    body.extend([7; 32]);
    let ciphers: Vec<u8> = (0..WORST_CIPHERS).rev().flat_map(u16::to_be_bytes).collect();
    body.extend(u16::try_from(ciphers.len()).unwrap_or(0).to_be_bytes());
    body.extend(ciphers);
    body.extend([1, 0]);
    let kinds = (100..100 + WORST_EXTENSIONS).rev();
    let extensions: Vec<u8> =
        kinds.flat_map(|kind| [kind.to_be_bytes(), [0, 0]].concat()).collect();
    body.extend(u16::try_from(extensions.len()).unwrap_or(0).to_be_bytes());
    body.extend(extensions);
    let len = u16::try_from(body.len()).unwrap_or(0);
    let [record, message] = [len + 4, len].map(u16::to_be_bytes);
    [&[0x16, 3, 1, record[0], record[1], 1, 0, message[0], message[1]], &body[..]].concat()
}

const WORST_CIPHERS: u16 = 256;
const WORST_EXTENSIONS: u16 = 200;

/// Nanoseconds that the library takes for the hello in a stream.
fn in_userspace(stream: &[u8]) -> Result<f64> {
    let message = stream.get(5..).context("no message")?;
    let started = cpu_ns();
    for _ in 0..STAMPS {
        std::hint::black_box(Fingerprint::of(std::hint::black_box(message)).is_ok());
    }
    let took = std::time::Duration::from_nanos(cpu_ns() - started);
    Ok(took.as_secs_f64() * 1e9 / f64::from(STAMPS))
}
