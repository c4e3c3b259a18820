//! One line for each ClientHello.

use crate::fingerprint::{Cause, Flow, Hello, Ja3, Ja4, MAX_LINGERING, Outcome};
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// What is told of a ClientHello in a capture.
///
/// *Shape*: in JSON these keys in this order, absent values as null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The file, as it was named.
    pub file: String,
    /// The client.
    pub src: IpAddr,
    /// The client's port.
    pub sport: u16,
    /// The server.
    pub dst: IpAddr,
    /// The server's port.
    pub dport: u16,
    /// The host that was asked for.
    pub sni: Option<String>,
    /// The first protocol that was offered.
    pub alpn: Option<String>,
    /// JA4.
    pub ja4: Option<Ja4>,
    /// JA4 before hashing.
    pub ja4_r: Option<String>,
    /// JA3.
    pub ja3: Option<Ja3>,
    /// TCP segments or QUIC datagrams that it is made of.
    pub segments: u32,
    /// `ok` or `unfingerprintable`.
    pub status: &'static str,
    /// Why it has no fingerprint.
    pub cause: Option<Cause>,
}

impl Row {
    /// The row of an outcome.
    #[must_use]
    pub fn new(file: &str, outcome: Outcome) -> Self {
        let Flow { source, destination } = outcome.flow;
        let (hello, cause) = match outcome.result {
            Ok(hello) => (Some(hello), None),
            Err(cause) => (None, Some(cause)),
        };
        let status = if hello.is_some() { "ok" } else { "unfingerprintable" };
        let ja4_r = hello.as_ref().map(Hello::ja4_r);
        let (names, prints) =
            hello.map(|hello| ((hello.sni, hello.alpn), hello.fingerprint)).unzip();
        let (sni, alpn) = names.unwrap_or_default();
        Self {
            file: file.to_owned(),
            src: source.ip(),
            sport: source.port(),
            dst: destination.ip(),
            dport: destination.port(),
            sni,
            alpn,
            ja4: prints.as_ref().map(|prints| prints.ja4),
            ja3: prints.as_ref().map(|prints| prints.ja3),
            ja4_r,
            segments: outcome.segments,
            status,
            cause,
        }
    }
}

/// Rows that may still be taken back: a conflict that comes late makes a fingerprint
/// doubtful.
///
/// As many are held as hellos linger in the assembler. An older row can't change any
/// more.
#[derive(Debug, Default)]
pub struct Rows {
    held: VecDeque<(Key, Row)>,
    /// Rows that were let go.
    released: usize,
    /// Where a stream's row stands, counted from the first of all.
    places: HashMap<Key, usize>,
}

type Key = (Flow, u32);

impl Rows {
    /// Takes an outcome; the row that is final through it, if any.
    pub fn push(&mut self, file: &str, outcome: Outcome) -> Option<Row> {
        let key = (outcome.flow, outcome.stream_start);
        let late = outcome.result.as_ref().is_err_and(|cause| *cause == Cause::Conflict);
        let row = Row::new(file, outcome);
        if let Some(held) = self.place(key).filter(|held| late && held.cause.is_none()) {
            *held = row;
            return None;
        }
        self.places.insert(key, self.released + self.held.len());
        self.held.push_back((key, row));
        if self.held.len() > MAX_LINGERING { self.pop() } else { None }
    }

    /// The oldest row, which nothing can change any more.
    pub fn pop(&mut self) -> Option<Row> {
        let (key, row) = self.held.pop_front()?;
        if self.places.get(&key) == Some(&self.released) {
            self.places.remove(&key);
        }
        self.released += 1;
        Some(row)
    }

    fn place(&mut self, key: Key) -> Option<&mut Row> {
        let place = self.places.get(&key)?.checked_sub(self.released)?;
        self.held.get_mut(place).map(|(_, row)| row)
    }
}
