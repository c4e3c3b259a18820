//! `cargo xtask knowledge`: the fingerprints of a labelled corpus, as rows of the knowledge.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde::Deserialize;

use crate::{term, workspace};

/// Where the captures' labels are.
#[derive(Args)]
pub(crate) struct Options {
    /// Folder with a labels.json (default: tests/corpus/hellos)
    #[arg(long)]
    corpus: Option<PathBuf>,
}

/// Writes the corpus' fingerprints behind the line that announces them, in the place of
/// those that stood there.
///
/// # Errors
///
/// If the labels or the knowledge can't be read, or the knowledge can't be written.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let folder = options.corpus.clone().unwrap_or_else(|| workspace::root().join(CORPUS));
    let labels = folder.join("labels.json");
    let text = fs::read(&labels).with_context(|| format!("can't read {}", labels.display()))?;
    let labels: Vec<Label> = serde_json::from_slice(&text)
        .with_context(|| format!("{} is no list of labels", labels.display()))?;
    let path = workspace::root().join(KNOWLEDGE);
    let old = fs::read_to_string(&path).with_context(|| format!("can't read {KNOWLEDGE}"))?;
    let (head, _) = old.split_once(MARK).with_context(|| format!("no line {MARK}"))?;
    fs::write(&path, format!("{head}{MARK}\n{}", rows(&labels)))
        .with_context(|| format!("can't write {KNOWLEDGE}"))?;
    term::status(&format!("wrote {KNOWLEDGE}"));
    Ok(true)
}

/// What a capture's label says of one hello.
#[derive(Deserialize)]
struct Label {
    client: String,
    kind: String,
    ja4: String,
}

fn rows(labels: &[Label]) -> String {
    let mut by_ja4: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for label in labels {
        if let Some(kind) = kind(label) {
            by_ja4.entry(&label.ja4).or_default().entry(kind).or_default().insert(&label.client);
        }
    }
    by_ja4.iter().map(|(ja4, kinds)| row(ja4, kinds)).collect()
}

fn row(ja4: &str, kinds: &BTreeMap<&str, BTreeSet<&str>>) -> String {
    let fields = kinds.iter().map(|(kind, programs)| {
        let programs: Vec<String> = programs.iter().map(|name| format!("{name:?}")).collect();
        format!("{kind} = [{}]\n", programs.join(", "))
    });
    let fields: String = fields.collect();
    format!("\n[[fingerprint]]\nja4 = \"{ja4}\"\n{fields}")
}

/// The knowledge's word for a label's kind; `None` if it is to be left out.
fn kind(label: &Label) -> Option<&'static str> {
    match label.kind.as_str() {
        "browser" | "browser-automation" => Some("browser"),
        "bot-tool" if TOOLS.iter().any(|tool| label.client.starts_with(tool)) => Some("tool"),
        "library" | "bot-tool" => Some("library"),
        _ => None,
    }
}

const CORPUS: &str = "tests/corpus/hellos";
const KNOWLEDGE: &str = "filter-user/src/classify/knowledge/knowledge.toml";
const MARK: &str = "# What follows is written by `cargo xtask knowledge`.";

/// Programs that scan, flood or guess. The other labelled bots are clients that machines
/// also use for their work.
const TOOLS: &[&str] = &[
    "ab",
    "aria2c",
    "dirb",
    "gobuster",
    "h2load",
    "hydra",
    "ncat",
    "nmap",
    "node-autocannon",
    "sslscan",
    "wrk",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn label(client: &str, kind: &str) -> Label {
        Label { client: client.to_owned(), kind: kind.to_owned(), ja4: "t13d".to_owned() }
    }

    #[test]
    fn a_row_names_all_programs_by_kind() {
        let labels = [
            label("wrk", "bot-tool"),
            label("curl", "bot-tool"),
            label("openssl", "library"),
            label("curl_cffi", "impersonator"),
        ];
        let expected = "\n[[fingerprint]]\nja4 = \"t13d\"\nlibrary = [\"curl\", \"openssl\"]\ntool = [\"wrk\"]\n";
        assert_eq!(rows(&labels), expected);
    }
}
