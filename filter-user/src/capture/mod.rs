//! Hellos out of packet captures: rows of fingerprints for `palisade fingerprint pcap`
//! ([`run`]), what the classifier takes in for `palisade replay` ([`Hellos`]).
//!
//! Each frame goes through the filter itself, on the host or in the kernel. In the kernel its
//! program puts the hellos together; on the host an assembler of its own does, so that each
//! can be held against the other. QUIC is read on the host whichever engine runs. Time is the
//! capture's.

mod engine;
mod error;
mod file;
mod hellos;
mod link;
mod opening;
mod pcapng;
mod report;
mod row;
mod udp;

pub use engine::{Engine, EngineKind, HostEngine, KernelEngine};
pub use error::{CaptureError, Damage, FileError};
pub use hellos::Hellos;
pub use link::{Frame, LinkType};
pub use report::Summary;
pub use row::{Row, Rows};

use crate::fingerprint::Outcome;
use crate::quic;
use file::Capture;
use link::Normaliser;
use report::Report;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Frames that are made longer than what was captured of them, and frames at all, end
/// here: no IP packet is longer. What lies behind is not looked at.
const MAX_FRAME_LEN: usize = 14 + 8 + 65_535;

/// Writes a row for each ClientHello in the files, as a table or as lines of JSON.
///
/// A file that can't be read, or not to its end, doesn't stop the others: its rows so far
/// are written and its error is in [`Summary::failures`].
///
/// *Errors*: [`CaptureError`], if the engine can't be had or nothing can be written.
pub fn run(
    files: &[PathBuf],
    engine: EngineKind,
    json: bool,
    out: &mut impl Write,
) -> Result<Summary, CaptureError> {
    let mut engine = engine.start()?;
    let mut report = Report::new(BufWriter::new(out), json);
    for path in files {
        report.start_file(path)?;
        let end = read_file(path, engine.as_mut(), &mut |event| report.handle(event));
        report.end_file(end?)?;
    }
    Ok(report.finish())
}

/// Something that reading a file brought about.
#[derive(Debug)]
enum Event {
    /// A packet was read.
    Packet,
    /// A hello was put together, or given up.
    Told(Box<Outcome>),
}

/// Why reading stopped before the end.
enum Stop {
    Capture(CaptureError),
    File(FileError),
}

impl From<CaptureError> for Stop {
    fn from(error: CaptureError) -> Self {
        Self::Capture(error)
    }
}

impl From<FileError> for Stop {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// Puts a file's frames through the engine.
///
/// *Errors*: the outer one ends everything, the inner one is the file's.
fn read_file(
    path: &Path,
    engine: &mut dyn Engine,
    tell: &mut dyn FnMut(Event) -> Result<(), CaptureError>,
) -> Result<Result<(), FileError>, CaptureError> {
    let mut quic = quic::Assembler::new();
    let end = read_packets(path, engine, &mut quic, tell);
    engine.finish()?;
    quic.finish();
    drain(engine, &mut quic, tell)?;
    match end {
        Ok(()) => Ok(Ok(())),
        Err(Stop::File(error)) => Ok(Err(error)),
        Err(Stop::Capture(error)) => Err(error),
    }
}

fn read_packets(
    path: &Path,
    engine: &mut dyn Engine,
    quic: &mut quic::Assembler,
    tell: &mut dyn FnMut(Event) -> Result<(), CaptureError>,
) -> Result<(), Stop> {
    let mut capture = Capture::open(path)?;
    let mut normaliser = Normaliser::default();
    while let Some(packet) = capture.next_packet()? {
        let time_ns = packet.time_ns;
        let frame = match normaliser.frame(&packet) {
            Ok(frame) => frame,
            Err(link) => return Err(capture.damaged(Damage::LinkType(link)).into()),
        };
        tell(Event::Packet)?;
        quic.expire(time_ns);
        if let Some(frame) = frame {
            engine.handle_frame(frame, time_ns)?;
            if let Some(datagram) = udp::datagram(frame, time_ns) {
                quic.handle_datagram(&datagram);
            }
        }
        drain(engine, quic, tell)?;
    }
    Ok(())
}

/// Tells what there is: of TCP first, as a packet is of one of them.
fn drain(
    engine: &mut dyn Engine,
    quic: &mut quic::Assembler,
    tell: &mut dyn FnMut(Event) -> Result<(), CaptureError>,
) -> Result<(), CaptureError> {
    loop {
        let outcome = engine.poll_outcome();
        let Some(outcome) = outcome.or_else(|| quic.poll_outcome().map(Outcome::from)) else {
            return Ok(());
        };
        tell(Event::Told(Box::new(outcome)))?;
    }
}

#[cfg(test)]
mod tests;
