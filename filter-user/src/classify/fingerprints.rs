//! What the last hello of each fingerprint looked like.

use crate::fingerprint::{Hello, Ja3};
use std::collections::HashMap;

/// One fingerprint's record.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The JA3 of its last hello: one JA4 has many where the client permutes extensions.
    pub ja3: Option<Ja3>,
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
    pub fn record(&mut self, hello: &Hello) {
        let fingerprint = &hello.fingerprint;
        let ja4 = fingerprint.ja4.as_str();
        if !self.records.contains_key(ja4) {
            self.make_room();
            self.records.insert(ja4.to_owned(), Record::default());
        }
        let Some(record) = self.records.get_mut(ja4) else {
            return;
        };
        record.hellos += 1;
        // Of the same JA4 and JA3 it is the same.
        if record.ja3.replace(fingerprint.ja3) != Some(fingerprint.ja3) {
            record.ja4_ro = hello.ja4_ro();
        }
        record.last_sni.clone_from(&hello.sni);
        record.alpn.clone_from(&hello.alpn);
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
