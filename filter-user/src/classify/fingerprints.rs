//! What was seen of each fingerprint.

use super::HelloSeen;
use filter_common::abi::client::ClientKey;
use std::collections::{HashMap, HashSet};

/// One fingerprint's record.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The JA3 of its last hello: one JA4 has many where the client permutes extensions.
    pub ja3: String,
    /// Hellos.
    pub hellos: u64,
    /// The name that was asked for last.
    pub last_sni: Option<String>,
    /// The protocols that were offered last.
    pub alpn: Option<String>,
    /// When it was seen last, in milliseconds since 1970.
    pub last_unix_ms: u64,
    clients: HashSet<ClientKey>,
}

impl Record {
    /// Distinct clients; at [`CLIENTS`] counting ends.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.clients.len()
    }
}

/// Distinct clients that are counted of one fingerprint.
pub const CLIENTS: usize = 1024;

/// Fingerprints that are kept.
///
/// At the limit a new one takes the place of the one with the fewest hellos: whoever
/// makes up fingerprints displaces his own.
const FINGERPRINTS: usize = 4096;

/// All records, by JA4.
#[derive(Debug, Default)]
pub struct Fingerprints {
    records: HashMap<String, Record>,
}

impl Fingerprints {
    /// Takes in a hello.
    pub fn record(&mut self, hello: &HelloSeen, unix_ms: u64) {
        if !self.records.contains_key(hello.ja4) {
            self.make_room();
        }
        let record = self.records.entry(hello.ja4.to_owned()).or_default();
        record.hellos += 1;
        record.last_unix_ms = unix_ms;
        hello.ja3.clone_into(&mut record.ja3);
        record.last_sni = hello.sni.map(str::to_owned);
        record.alpn = hello.alpn.map(str::to_owned);
        if record.clients.len() < CLIENTS {
            record.clients.insert(hello.client);
        }
    }

    /// Each fingerprint and its record, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Record)> {
        self.records.iter().map(|(ja4, record)| (ja4.as_str(), record))
    }

    /// How many fingerprints there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether none was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn make_room(&mut self) {
        if self.records.len() < FINGERPRINTS {
            return;
        }
        let rarest = self.records.iter().min_by_key(|(_, record)| record.hellos);
        if let Some(ja4) = rarest.map(|(ja4, _)| ja4.clone()) {
            self.records.remove(&ja4);
        }
    }
}
