//! What real clients sent, out of the corpus: datagrams over QUIC, hellos over TCP.

use crate::lab::{EDGE, EDGE_V6};
use crate::packet::Packet;
use anyhow::{Context, Result, ensure};
use pcap_file::pcap::PcapReader;
use serde_json::Value;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// A capture of one connection, or of one and the next after a Retry.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The file's name.
    pub name: String,
    /// Whether it is in IPv6.
    pub is_v6: bool,
    /// The client's port.
    pub port: u16,
    /// What the client sent, a datagram each.
    pub client: Vec<Vec<u8>>,
    /// What the server answered.
    pub server: Vec<Vec<u8>>,
    /// The JA4 of each hello in it, as another program says.
    pub ja4: Vec<String>,
}

const ETHERNET_LEN: usize = 14;
const UDP_LEN: usize = 8;

/// Payload that fits into a packet: what is longer was captured as two that left as one.
const MAX_PAYLOAD: usize = 1472;

/// Every capture.
///
/// # Errors
///
/// The corpus'.
pub fn all() -> Result<Vec<Capture>> {
    let labels: Vec<Value> = serde_json::from_reader(File::open(path("labels.json"))?)?;
    let mut captures: Vec<Capture> = Vec::new();
    for label in &labels {
        let text = |key: &str| label[key].as_str().map(str::to_owned).context(key.to_owned());
        let (name, ja4) = (text("pcap")?, text("ja4")?);
        if let Some(known) = captures.iter_mut().find(|capture| capture.name == name) {
            known.ja4.push(ja4);
            continue;
        }
        let port = u16::try_from(label["sport"].as_u64().context("sport")?)?;
        let mut capture = Capture {
            name,
            is_v6: text("src")?.contains(':'),
            port,
            client: Vec::new(),
            server: Vec::new(),
            ja4: vec![ja4],
        };
        capture.read()?;
        captures.push(capture);
    }
    Ok(captures)
}

/// The capture of this name.
///
/// # Errors
///
/// There is none.
pub fn one(name: &str) -> Result<Capture> {
    let mut all = all()?.into_iter();
    all.find(|capture| capture.name == name).with_context(|| name.to_owned())
}

/// A datagram for the edge in a frame.
///
/// # Errors
///
/// There are none.
pub fn frame(source: IpAddr, ports: (u16, u16), payload: &[u8]) -> Result<Vec<u8>> {
    let packet = match source {
        IpAddr::V4(source) => Packet::v4(source.octets(), EDGE.parse::<Ipv4Addr>()?.octets()),
        IpAddr::V6(source) => Packet::v6(source.octets(), EDGE_V6.parse::<Ipv6Addr>()?.octets()),
    };
    Ok(packet.udp(ports, payload).build())
}

/// Datagrams for the edge in frames.
///
/// # Errors
///
/// There are none.
pub fn frames(source: IpAddr, ports: (u16, u16), payloads: &[Vec<u8>]) -> Result<Vec<Vec<u8>>> {
    payloads.iter().map(|payload| frame(source, ports, payload)).collect()
}

impl Capture {
    fn read(&mut self) -> Result<()> {
        let path = path(&self.name);
        let mut reader = PcapReader::new(File::open(&path).context(path.display().to_string())?)?;
        let headers = ETHERNET_LEN + if self.is_v6 { 40 } else { 20 };
        while let Some(packet) = reader.next_packet() {
            let packet = packet?;
            let udp = packet.data.get(headers..).context("a short frame")?;
            let (header, payload) = udp.split_at_checked(UDP_LEN).context("a short datagram")?;
            let is_client = header[..2] == self.port.to_be_bytes();
            let whose = if is_client { &mut self.client } else { &mut self.server };
            let parts = payload.len().div_ceil(MAX_PAYLOAD);
            ensure!(payload.len() % parts.max(1) == 0, "{}: uneven parts", self.name);
            whose.extend(payload.chunks(payload.len() / parts.max(1)).map(<[u8]>::to_vec));
        }
        Ok(())
    }
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/quic").join(name)
}

/// Where TCP starts, behind Ethernet and IPv4.
const TCP_AT: usize = 34;

/// The first hello over TCP of a capture, with the header of its TLS record.
///
/// # Errors
///
/// There is none, or the capture can't be read.
pub fn first_hello(capture: &[u8]) -> Result<Vec<u8>> {
    let mut reader = PcapReader::new(capture)?;
    let mut stream: Vec<u8> = Vec::new();
    while let Some(packet) = reader.next_packet() {
        let data = packet?.data;
        let header = TCP_AT + usize::from(data[TCP_AT + 12] >> 4) * 4;
        stream.extend(&data[header..]);
        if stream.len() > 5 {
            let len = 5 + usize::from(u16::from_be_bytes([stream[3], stream[4]]));
            if stream.len() >= len {
                stream.truncate(len);
                return Ok(stream);
            }
        }
    }
    anyhow::bail!("the capture holds no hello")
}
