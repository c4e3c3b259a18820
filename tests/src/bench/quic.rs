//! What a datagram costs the reader of QUIC hellos, which runs in userspace.

use super::Measured;
use super::measure::{self, Tell, cpu_ns};
use anyhow::{Context, Result, ensure};
use filter_user::fingerprint::Flow;
use filter_user::quic::{Assembler, Datagram, MAX_OPENED};
use pcap_file::pcap::PcapReader;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::fs::File;
use std::path::Path;

/// Times that a case's datagrams are handed over in one turn.
const REPEAT: u32 = 2000;

/// Bytes in front of the payload in the corpus: Ethernet, IPv4 and UDP.
const HEADERS_LEN: usize = 42;

/// Measures datagrams by what becomes of them, nanoseconds for each.
///
/// # Errors
///
/// The corpus', and a case that isn't what it is named after.
pub(super) fn measure(rounds: usize) -> Result<Measured> {
    let cases = Case::all()?;
    let cases = measure::turns(rounds, &mut |tell| cases.iter().try_for_each(|c| c.turn(tell)))?;
    Ok(Measured { cases, ..Measured::default() })
}

/// Datagrams, from which port they come, and what is told of them.
struct Case {
    name: &'static str,
    payloads: Vec<Vec<u8>>,
    /// Whether each time is another client's.
    apart: bool,
    /// What came before, from the same port.
    before: Vec<Vec<u8>>,
    /// Hellos each time.
    told: u32,
}

impl Case {
    fn all() -> Result<Vec<Self>> {
        let small = payloads("aioquic.pcap")?;
        let hello = small.first().cloned().context("no hello")?;
        let reply = small.get(1).cloned().context("no reply")?;
        let two: Vec<Vec<u8>> = payloads("chromium.pcap")?.into_iter().take(2).collect();
        let mut short = hello.clone();
        short[0] &= 0x7f;
        let case =
            |name, payloads| Self { name, payloads, apart: true, before: Vec::new(), told: 0 };
        Ok(vec![
            case("short_header", vec![short]),
            case("reply", vec![reply]),
            case("junk", vec![junk(1, 1200)]),
            Self {
                before: two.clone(),
                apart: false,
                ..case("junk_of_many", vec![junk(MAX_OPENED, 1200)])
            },
            Self { told: 1, ..case("hello", vec![hello.clone()]) },
            Self { told: 1, ..case("hello_of_two", two) },
            Self { before: vec![hello.clone()], apart: false, ..case("repeated", vec![hello]) },
        ])
    }

    fn turn(&self, tell: &mut Tell) -> Result<()> {
        let mut assembler = Assembler::new();
        for payload in &self.before {
            assembler.handle_datagram(&datagram(payload, 0));
        }
        while assembler.poll_outcome().is_some() {}
        let mut told = 0;
        let start = cpu_ns();
        for time in 0..REPEAT {
            let client = if self.apart { time } else { 0 };
            for payload in &self.payloads {
                assembler.handle_datagram(&datagram(payload, client));
            }
            while let Some(outcome) = assembler.poll_outcome() {
                told += u32::from(outcome.result.is_ok());
            }
        }
        let spent = cpu_ns() - start;
        ensure!(told == self.told * REPEAT, "{}: {told} hellos", self.name);
        let datagrams = u64::from(REPEAT) * u64::try_from(self.payloads.len())?;
        let tenths = u32::try_from(spent * 10 / datagrams)?;
        tell(self.name.into(), "short_header".into(), f64::from(tenths) / 10.0);
        Ok(())
    }
}

fn datagram(payload: &[u8], client: u32) -> Datagram {
    let [_, _, c, d] = client.to_be_bytes();
    let flow =
        Flow { source: ([10, 0, c, d], 40_000).into(), destination: ([192, 0, 2, 1], 443).into() };
    let payload_len = payload.len();
    Datagram { flow, payload: payload.to_vec().into(), payload_len, time_ns: 0 }
}

/// As many Initial packets as that with a client's header and noise.
fn junk(packets: usize, len: usize) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(1);
    let head = [0xc0, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0];
    let body_len = len / packets - head.len() - 2;
    let packet = |_| {
        let [high, low] = u16::try_from(body_len).unwrap_or_default().to_be_bytes();
        let mut packet = [&head[..], &[high | 0x40, low]].concat();
        packet.extend((0..body_len).map(|_| random.random::<u8>()));
        packet
    };
    (0..packets).flat_map(packet).collect()
}

/// The payloads of a capture's datagrams.
fn payloads(name: &str) -> Result<Vec<Vec<u8>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/quic").join(name);
    let mut reader = PcapReader::new(File::open(&path).context(path.display().to_string())?)?;
    let mut payloads = Vec::new();
    while let Some(packet) = reader.next_packet() {
        let packet = packet?;
        payloads.push(packet.data.get(HEADERS_LEN..).context("a short frame")?.to_vec());
    }
    Ok(payloads)
}
