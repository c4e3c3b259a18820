//! Rows for people and for programs, and their sum.

use super::Event;
use super::error::{CaptureError, FileError};
use super::row::{Row, Rows};
use crate::fingerprint::Cause;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// What the captures held.
#[derive(Debug, Default)]
pub struct Summary {
    /// Files that were named.
    pub files: u64,
    /// Packets read.
    pub packets: u64,
    /// Hellos with a fingerprint.
    pub ok: u64,
    /// Hellos without one, by cause.
    pub unfingerprintable: BTreeMap<Cause, u64>,
    /// Files that were not read to their end, and why.
    pub failures: Vec<FileError>,
}

impl Summary {
    /// All hellos, one for each row.
    #[must_use]
    pub fn hellos(&self) -> u64 {
        self.ok + self.unfingerprintable.values().sum::<u64>()
    }

    /// The sum in one line.
    #[must_use]
    pub fn line(&self, elapsed: Duration) -> String {
        let mut text = format!("{} hellos: {} ok", self.hellos(), self.ok);
        if !self.unfingerprintable.is_empty() {
            let causes = self.unfingerprintable.iter().map(|(cause, n)| format!("{n} {cause}"));
            let causes = causes.collect::<Vec<_>>().join(", ");
            let count: u64 = self.unfingerprintable.values().sum();
            let _ = write!(text, ", {count} unfingerprintable ({causes})");
        }
        let seconds = elapsed.as_secs_f64();
        let _ = write!(text, "; {} packets in {} files, {seconds:.2} s", self.packets, self.files);
        text
    }

    fn add(&mut self, row: &Row) {
        match row.cause {
            None => self.ok += 1,
            Some(cause) => *self.unfingerprintable.entry(cause).or_default() += 1,
        }
    }
}

/// Writes rows as they become final.
pub(super) struct Report<W> {
    out: W,
    json: bool,
    file: String,
    rows: Rows,
    summary: Summary,
}

impl<W: Write> Report<W> {
    pub(super) fn new(out: W, json: bool) -> Self {
        let (file, rows, summary) = Default::default();
        Self { out, json, file, rows, summary }
    }

    pub(super) fn start_file(&mut self, path: &Path) -> Result<(), CaptureError> {
        self.file = path.display().to_string();
        self.summary.files += 1;
        if !self.json {
            writeln!(self.out, "{}", self.file.escape_debug())?;
            writeln!(self.out, "{}", heading())?;
        }
        Ok(())
    }

    pub(super) fn handle(&mut self, event: Event) -> Result<(), CaptureError> {
        match event {
            Event::Packet => self.summary.packets += 1,
            Event::Told(outcome) => {
                if let Some(row) = self.rows.push(&self.file, *outcome) {
                    self.write(&row)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn end_file(&mut self, end: Result<(), FileError>) -> Result<(), CaptureError> {
        while let Some(row) = self.rows.pop() {
            self.write(&row)?;
        }
        if let Err(error) = end {
            self.summary.failures.push(error);
        }
        if !self.json {
            writeln!(self.out)?;
        }
        Ok(self.out.flush()?)
    }

    pub(super) fn finish(self) -> Summary {
        self.summary
    }

    fn write(&mut self, row: &Row) -> Result<(), CaptureError> {
        self.summary.add(row);
        if self.json {
            serde_json::to_writer(&mut self.out, row).map_err(std::io::Error::from)?;
            return Ok(writeln!(self.out)?);
        }
        Ok(writeln!(self.out, "{}", line(row))?)
    }
}

/// Columns for people. They have fixed widths, so that a capture of any size streams.
fn heading() -> String {
    columns("CLIENT", "SERVER", "SNI", "ALPN", "SEG", "JA4 OR CAUSE")
}

fn line(row: &Row) -> String {
    let client = SocketAddr::from((row.src, row.sport)).to_string();
    let server = SocketAddr::from((row.dst, row.dport)).to_string();
    let shown = match (&row.ja4, row.cause) {
        (Some(ja4), _) => ja4.to_string(),
        (None, cause) => format!("unfingerprintable: {}", cause.map_or("", Cause::name)),
    };
    let sni = short(row.sni.as_deref(), 30);
    let alpn = short(row.alpn.as_deref(), 8);
    columns(&client, &server, &sni, &alpn, &row.segments.to_string(), &shown)
}

fn columns(client: &str, server: &str, sni: &str, alpn: &str, seg: &str, ja4: &str) -> String {
    format!("{client:<21}  {server:<21}  {sni:<30}  {alpn:<8}  {seg:>3}  {ja4}")
}

/// A name in at most so many characters; they are all ASCII.
fn short(name: Option<&str>, width: usize) -> String {
    let name = name.unwrap_or("-");
    match name.get(..width - 2) {
        Some(start) if name.len() > width => format!("{start}.."),
        _ => name.to_owned(),
    }
}
