//! A labelled corpus: captures, and a list that says who is in them.

use super::Kind;
use anyhow::{Context, Result, bail};
use filter_common::wire::cursor::SlicePacket;
use filter_common::wire::{frame, syn};
use filter_user::capture::{Engine, Frame, HostEngine};
use filter_user::classify::evidence::{Evidence, Hello};
use filter_user::classify::shape::Shape;
use filter_user::fingerprint::Outcome;
use pcap_file::DataLink;
use pcap_file::pcap::PcapReader;
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

/// A client of the corpus.
#[derive(Debug)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// What its label says.
    pub kind: Kind,
    /// What it showed.
    pub evidence: Evidence,
}

/// A line of the labels, one for each hello.
#[derive(Deserialize)]
struct Label {
    client: String,
    kind: Kind,
    pcap: String,
}

/// Reads every capture that the labels name, in their order.
///
/// # Errors
///
/// The labels can't be read, or a capture can't.
pub(super) fn read(folder: &Path) -> Result<Vec<Client>> {
    let path = folder.join("labels.json");
    let file = File::open(&path).with_context(|| format!("can't open {}", path.display()))?;
    let labels: Vec<Label> = serde_json::from_reader(file)
        .with_context(|| format!("{} is no list of labels", path.display()))?;
    let mut files: Vec<String> = Vec::new();
    let mut clients = Vec::new();
    for Label { client: name, kind, pcap } in labels {
        if !files.contains(&pcap) {
            let path = folder.join(&pcap);
            let evidence =
                capture(&path).with_context(|| format!("can't read {}", path.display()))?;
            clients.push(Client { name, kind, evidence });
            files.push(pcap);
        }
    }
    Ok(clients)
}

/// What is in a capture, as the filter on this host reads it.
fn capture(path: &Path) -> Result<Evidence> {
    let mut reader = PcapReader::new(File::open(path)?)?;
    if reader.header().datalink != DataLink::ETHERNET {
        bail!("its frames aren't those of Ethernet");
    }
    let mut engine = HostEngine::default();
    let (mut evidence, mut syns) = (Evidence::default(), HashMap::new());
    while let Some(packet) = reader.next_packet() {
        let packet = packet?;
        let (bytes, captured) = (packet.data.as_ref(), packet.data.len());
        let time_ns = u64::try_from(packet.timestamp.as_nanos())?;
        engine.handle_frame(Frame { bytes, captured }, time_ns)?;
        syns.extend(syn_in(bytes));
        take(&mut engine, &syns, &mut evidence)?;
    }
    engine.finish()?;
    take(&mut engine, &syns, &mut evidence)?;
    Ok(evidence)
}

/// SYNs by their clients' ports.
type Syns = HashMap<u16, syn::Syn>;

fn syn_in(bytes: &[u8]) -> Option<(u16, syn::Syn)> {
    let packet = SlicePacket::new(bytes);
    let mut frame = frame::Frame::default();
    frame::parse(&packet, &mut frame);
    Some((frame.tcp.source_port, syn::parse(&packet, &frame)?))
}

fn take(engine: &mut HostEngine, syns: &Syns, evidence: &mut Evidence) -> Result<()> {
    while let Some(Outcome { flow, result, .. }) = engine.poll_outcome() {
        match result {
            Ok(hello) => {
                let shape = Shape::read(&hello.message);
                let shape = shape.ok().context("a hello with a fingerprint can't be read")?;
                let ja4 = hello.fingerprint.ja4.to_string();
                let syn = syns.get(&flow.source.port()).copied();
                evidence.hellos.push(Hello::new(ja4, shape, syn));
            }
            Err(cause) => evidence.causes.push(cause.to_string()),
        }
    }
    Ok(())
}
