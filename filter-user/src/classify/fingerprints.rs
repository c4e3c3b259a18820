//! What the last hello of each fingerprint looked like.

use super::HelloSeen;
use std::collections::HashMap;

/// One fingerprint's record.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The JA3 of its last hello: one JA4 has many where the client permutes extensions.
    pub ja3: String,
    /// Its last hello in the order of the wire, before hashing.
    pub ja4_ro: String,
    /// Hellos.
    pub hellos: u64,
    /// The name that was asked for last.
    pub last_sni: Option<String>,
    /// The protocols that were offered last.
    pub alpn: Option<String>,
}

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
    pub fn record(&mut self, hello: &HelloSeen) {
        if !self.records.contains_key(hello.ja4) {
            self.make_room();
        }
        let record = self.records.entry(hello.ja4.to_owned()).or_default();
        record.hellos += 1;
        hello.ja3.clone_into(&mut record.ja3);
        hello.ja4_ro.clone_into(&mut record.ja4_ro);
        record.last_sni = hello.sni.map(str::to_owned);
        record.alpn = hello.alpn.map(str::to_owned);
    }

    /// What was seen of a fingerprint.
    #[must_use]
    pub fn get(&self, ja4: &str) -> Option<&Record> {
        self.records.get(ja4)
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
