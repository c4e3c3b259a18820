//! Fingerprints out of packet captures: `palisade fingerprint pcap`.
//!
//! Each frame goes through the filter itself, on the host or in the kernel, and what it
//! selects through the assembler that the daemon uses. Time is the capture's.

mod engine;
mod error;
mod file;
mod link;
mod pcapng;
mod report;
mod row;

pub use engine::{Engine, EngineKind, HostEngine, KernelEngine};
pub use error::{CaptureError, Damage, FileError};
pub use link::{Frame, LinkType};
pub use report::Summary;
pub use row::{Row, Rows};

use crate::fingerprint::{Assembler, Outcome};
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
        engine.reset()?;
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

/// Puts a file's frames through the engine and the assembler.
///
/// *Errors*: the outer one ends everything, the inner one is the file's.
fn read_file(
    path: &Path,
    engine: &mut dyn Engine,
    tell: &mut dyn FnMut(Event) -> Result<(), CaptureError>,
) -> Result<Result<(), FileError>, CaptureError> {
    let mut assembler = Assembler::new();
    let end = read_packets(path, engine, &mut assembler, tell);
    assembler.finish();
    drain(&mut assembler, tell)?;
    match end {
        Ok(()) => Ok(Ok(())),
        Err(Stop::File(error)) => Ok(Err(error)),
        Err(Stop::Capture(error)) => Err(error),
    }
}

fn read_packets(
    path: &Path,
    engine: &mut dyn Engine,
    assembler: &mut Assembler,
    tell: &mut dyn FnMut(Event) -> Result<(), CaptureError>,
) -> Result<(), Stop> {
    let mut capture = Capture::open(path)?;
    let mut normaliser = Normaliser::default();
    while let Some(packet) = capture.next_packet()? {
        let time_ns = packet.time_ns;
        let found = match normaliser.frame(&packet) {
            Ok(Some(frame)) => engine.segment(frame, time_ns)?,
            Ok(None) => None,
            Err(link) => return Err(capture.damaged(Damage::LinkType(link)).into()),
        };
        tell(Event::Packet)?;
        assembler.expire(time_ns);
        if let Some(segment) = found {
            assembler.handle_segment(&segment);
        }
        drain(assembler, tell)?;
    }
    Ok(())
}

fn drain(
    assembler: &mut Assembler,
    tell: &mut dyn FnMut(Event) -> Result<(), CaptureError>,
) -> Result<(), CaptureError> {
    while let Some(outcome) = assembler.poll_outcome() {
        tell(Event::Told(Box::new(outcome)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
