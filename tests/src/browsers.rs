//! Browsers' hellos over TCP, out of the corpus, and what other programs say of them.

use crate::captures::first_hello;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::fs::{self, File};
use std::path::Path;

/// The first hello of a browser, or of a client that plays one.
#[derive(Clone, Debug)]
pub struct Browser {
    /// The capture's name.
    pub name: String,
    /// Its bytes, with the header of the TLS record.
    pub hello: Vec<u8>,
    /// Its JA4, as another program says.
    pub ja4: String,
    /// Its JA3, as another program says.
    pub ja3: String,
}

/// The part of a label that matters here.
#[derive(Deserialize)]
struct Label {
    pcap: String,
    ja4: String,
    ja3: String,
    clienthello_bytes: usize,
}

/// Of each kind some, old and new ones.
///
/// # Errors
///
/// The corpus'.
pub fn all() -> Result<Vec<Browser>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/hellos");
    let labels: Vec<Label> = serde_json::from_reader(File::open(folder.join("labels.json"))?)?;
    NAMES.iter().map(|name| read(&folder, &labels, name).context(*name)).collect()
}

fn read(folder: &Path, labels: &[Label], name: &str) -> Result<Browser> {
    let file = format!("{name}.pcap");
    let hello = first_hello(&fs::read(folder.join(&file))?)?;
    // Labels are in the order of the capture.
    let label = labels.iter().find(|label| label.pcap == file).context("no label")?;
    ensure!(hello.len() == RECORD_HEADER + label.clienthello_bytes, "another hello's label");
    let (ja4, ja3) = (label.ja4.clone(), label.ja3.clone());
    Ok(Browser { name: name.to_owned(), hello, ja4, ja3 })
}

const RECORD_HEADER: usize = 5;

/// Chrome's, Firefox's and Safari's; some have one JA4, and another order of extensions.
const NAMES: [&str; 13] = [
    "chromium",
    "puppeteer-chromium",
    "curl_cffi-chrome99",
    "curl_cffi-chrome120",
    "curl_cffi-chrome136",
    "tls_client-chrome_152",
    "firefox-esr",
    "curl_cffi-firefox133",
    "curl_cffi-firefox147",
    "tls_client-firefox_148",
    "curl_cffi-safari155",
    "curl_cffi-safari170",
    "tls_client-safari_ios_26_0",
];
