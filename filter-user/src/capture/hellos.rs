//! The hellos of several captures, one after the other.

use super::engine::{Engine, HostEngine};
use super::error::{Damage, FileError};
use super::file::{Capture, Packet};
use super::link::{LinkType, Normaliser};
use crate::fingerprint::Outcome;
use std::path::PathBuf;

/// What becomes of each hello over TCP in captures that are read as one, packet by packet in the
/// order of their times; with the moment at which it is known, in nanoseconds since 1970, which
/// never goes back.
#[derive(Default)]
pub struct Hellos {
    sources: Vec<Source>,
    engine: HostEngine,
    normaliser: Normaliser,
    now_ns: u64,
    is_over: bool,
    /// Packets that were read.
    pub packets: u64,
    /// Captures that were not read to their end, and why.
    pub failures: Vec<FileError>,
}

/// A capture, and the packet in it that comes next.
struct Source {
    capture: Capture,
    time_ns: u64,
    link: LinkType,
    bytes: Vec<u8>,
    wire_len: usize,
}

impl Hellos {
    /// Opens captures. One that can't be read doesn't stop the others.
    #[must_use]
    pub fn open(files: &[PathBuf]) -> Self {
        let mut hellos = Self::default();
        for path in files {
            match Capture::open(path) {
                Ok(capture) => hellos.advance(hellos.sources.len(), Source::new(capture)),
                Err(error) => hellos.failures.push(error),
            }
        }
        hellos
    }

    /// Puts the earliest packet through the filter. `false`: there was none.
    fn step(&mut self) -> bool {
        let sources = self.sources.iter().enumerate();
        let Some((at, _)) = sources.min_by_key(|(_, source)| source.time_ns) else {
            return false;
        };
        let source = self.sources.remove(at);
        self.packets += 1;
        self.now_ns = self.now_ns.max(source.time_ns);
        match self.normaliser.frame(&source.packet()) {
            Ok(Some(frame)) => self.engine.take(frame, self.now_ns),
            Ok(None) => {}
            Err(link) => {
                self.failures.push(source.capture.damaged(Damage::LinkType(link)));
                return true;
            }
        }
        self.advance(at, source);
        true
    }

    /// Puts a source in its place if it has another packet.
    fn advance(&mut self, at: usize, mut source: Source) {
        match source.advance() {
            Ok(true) => self.sources.insert(at, source),
            Ok(false) => {}
            Err(error) => self.failures.push(error),
        }
    }
}

impl Iterator for Hellos {
    type Item = (u64, Outcome);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(outcome) = self.engine.poll_outcome() {
                return Some((self.now_ns, outcome));
            }
            if self.is_over {
                return None;
            }
            if !self.step() {
                self.engine.end();
                self.is_over = true;
            }
        }
    }
}

impl Source {
    const fn new(capture: Capture) -> Self {
        Self { capture, time_ns: 0, link: LinkType(0), bytes: Vec::new(), wire_len: 0 }
    }

    /// Reads the next packet. `false`: there is none.
    fn advance(&mut self) -> Result<bool, FileError> {
        let Some(Packet { time_ns, link, bytes, wire_len }) = self.capture.next_packet()? else {
            return Ok(false);
        };
        (self.time_ns, self.link, self.wire_len) = (time_ns, link, wire_len);
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        Ok(true)
    }

    fn packet(&self) -> Packet<'_> {
        let Self { time_ns, link, ref bytes, wire_len, .. } = *self;
        Packet { time_ns, link, bytes, wire_len }
    }
}
