//! A labelled corpus: captures, and a list that says who is in them.

use super::Kind;
use anyhow::{Context, Result};
use filter_user::capture::Hellos;
use filter_user::classify::evidence::{Evidence, Hello};
use filter_user::classify::shape::Shape;
use serde::Deserialize;
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
    let mut hellos = Hellos::open(&[path.to_owned()]);
    let mut evidence = Evidence::default();
    for (_, outcome) in hellos.by_ref() {
        match outcome.result {
            Ok(hello) => {
                let shape = Shape::read(&hello.message);
                let shape = shape.ok().context("a hello with a fingerprint can't be read")?;
                let ja4 = hello.fingerprint.ja4.to_string();
                evidence.hellos.push(Hello::new(ja4, shape, outcome.syn));
            }
            Err(cause) => evidence.causes.push(cause.to_string()),
        }
    }
    hellos.failures.pop().map_or(Ok(evidence), |error| Err(error.into()))
}
