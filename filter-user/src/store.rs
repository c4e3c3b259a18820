//! What has to survive: every accepted command, on disk before it is acknowledged.

use crate::config::HostMode;
use crate::policy::{Entry, List, parse_prefix};
use crate::verdict::Verdict;
use filter_common::abi::Mode;
use ipnet::IpNet;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One table: a path-like key, a JSON value.
const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records");

const FILE: &str = "palisade.redb";
const MODE: &str = "mode";

/// The store.
#[derive(Debug)]
pub struct Store {
    database: Database,
    path: PathBuf,
}

/// Something to write down. `None` removes what was there.
#[derive(Debug)]
pub enum Write<'a> {
    /// An entry of a list.
    Entry(List, IpNet, Option<&'a Entry>),
    /// A verdict on a client, named by its prefix.
    Verdict(IpNet, Option<&'a Verdict>),
    /// A rule on a fingerprint, named by its JA4.
    Rule(&'a str, Option<&'a SavedRule>),
    /// What `palisade mode` said last.
    Mode(HostMode),
}

/// A rule on a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRule {
    /// How long its verdicts last, in seconds.
    pub lasts_s: u64,
    /// Why it is there.
    pub comment: String,
}

/// An entry of a list, on disk.
#[derive(Debug, Serialize, Deserialize)]
struct SavedEntry {
    shadow: bool,
    comment: String,
    added_unix_ms: u64,
}

/// Everything that was written down.
#[derive(Debug, Default)]
pub struct Saved {
    /// Entries of both lists.
    pub entries: Vec<(List, IpNet, Entry)>,
    /// Verdicts, ended ones too.
    pub verdicts: Vec<(IpNet, Verdict)>,
    /// Rules on fingerprints.
    pub rules: Vec<(String, SavedRule)>,
    /// What `palisade mode` said last.
    pub mode: Option<HostMode>,
}

/// A store that can't be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the store {}: {reason}", path.display())]
pub struct StoreError {
    path: PathBuf,
    reason: String,
}

impl Store {
    /// Opens the store in a folder, or makes it.
    ///
    /// *Errors*: [`StoreError`]; another daemon that has it open is one.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        let failed = |reason: String| StoreError { path: path.clone(), reason };
        fs::create_dir_all(dir).map_err(|error| failed(error.to_string()))?;
        let database = Database::create(&path).map_err(|error| failed(error.to_string()))?;
        let store = Self { database, path };
        store.commit([])?;
        Ok(store)
    }

    /// Writes changes down, all or none, and returns when they are on disk.
    ///
    /// *Errors*: [`StoreError`]; nothing was written.
    pub fn commit<'a>(
        &self,
        writes: impl IntoIterator<Item = Write<'a>>,
    ) -> Result<(), StoreError> {
        self.try_commit(writes).map_err(|reason| self.failed(reason))
    }

    fn try_commit<'a>(&self, writes: impl IntoIterator<Item = Write<'a>>) -> Result<(), String> {
        let transaction = self.database.begin_write().map_err(text)?;
        {
            let mut table = transaction.open_table(RECORDS).map_err(text)?;
            for write in writes {
                let (key, value) = encode(&write)?;
                match value {
                    Some(value) => table.insert(key.as_str(), value.as_slice()).map_err(text)?,
                    None => table.remove(key.as_str()).map_err(text)?,
                };
            }
        }
        transaction.commit().map_err(text)
    }

    /// Reads everything.
    ///
    /// *Errors*: [`StoreError`]; a record that isn't understood is one, and is named.
    pub fn load(&self) -> Result<Saved, StoreError> {
        self.try_load().map_err(|reason| self.failed(reason))
    }

    fn try_load(&self) -> Result<Saved, String> {
        let transaction = self.database.begin_read().map_err(text)?;
        let table = transaction.open_table(RECORDS).map_err(text)?;
        let mut saved = Saved::default();
        for record in table.iter().map_err(text)? {
            let (key, value) = record.map_err(text)?;
            decode(key.value(), value.value(), &mut saved)
                .map_err(|error| format!("record {:?}: {error}", key.value()))?;
        }
        Ok(saved)
    }

    fn failed(&self, reason: String) -> StoreError {
        StoreError { path: self.path.clone(), reason }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

const fn list_key(list: List) -> &'static str {
    match list {
        List::Allow => "allow",
        List::Block => "block",
    }
}

fn encode(write: &Write) -> Result<(String, Option<Vec<u8>>), String> {
    fn json<T: Serialize>(value: Option<&T>) -> Result<Option<Vec<u8>>, String> {
        value.map(serde_json::to_vec).transpose().map_err(text)
    }
    Ok(match write {
        Write::Entry(list, prefix, entry) => {
            let saved = entry.map(|entry| SavedEntry {
                shadow: entry.mode == Mode::SHADOW,
                comment: entry.comment.clone(),
                added_unix_ms: entry.added_unix_ms,
            });
            (format!("{}/{prefix}", list_key(*list)), json(saved.as_ref())?)
        }
        Write::Verdict(client, verdict) => (format!("verdict/{client}"), json(*verdict)?),
        Write::Rule(ja4, rule) => (format!("rule/{ja4}"), json(*rule)?),
        Write::Mode(mode) => (MODE.into(), json(Some(mode))?),
    })
}

fn decode(key: &str, value: &[u8], saved: &mut Saved) -> Result<(), String> {
    let (kind, name) = key.split_once('/').unwrap_or((key, ""));
    let prefix = || parse_prefix(name).map(|parsed| parsed.prefix).map_err(text);
    match kind {
        "allow" | "block" => {
            let list = if kind == "allow" { List::Allow } else { List::Block };
            saved.entries.push((list, prefix()?, decode_entry(value)?));
        }
        "verdict" => saved.verdicts.push((prefix()?, from_json(value)?)),
        "rule" => saved.rules.push((name.to_owned(), from_json(value)?)),
        MODE => saved.mode = Some(from_json(value)?),
        _ => return Err("of an unknown kind; a newer version may have written it".into()),
    }
    Ok(())
}

fn decode_entry(value: &[u8]) -> Result<Entry, String> {
    let SavedEntry { shadow, comment, added_unix_ms } = from_json(value)?;
    let mode = if shadow { Mode::SHADOW } else { Mode::ENFORCE };
    Ok(Entry { mode, comment, added_unix_ms })
}

fn from_json<'a, T: Deserialize<'a>>(value: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(value).map_err(text)
}

impl SavedRule {
    /// How long its verdicts last.
    #[must_use]
    pub const fn lasts(&self) -> Duration {
        Duration::from_secs(self.lasts_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_committed_is_there_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let prefix = parse_prefix("192.0.2.0/24").unwrap().prefix;
        let entry = Entry { mode: Mode::SHADOW, comment: "why".into(), added_unix_ms: 7 };
        let rule = SavedRule { lasts_s: 60, comment: String::new() };
        let store = Store::open(dir.path()).unwrap();
        let entries =
            [Write::Entry(List::Block, prefix, Some(&entry)), Write::Mode(HostMode::Enforce)];
        store.commit(entries).unwrap();
        store.commit([Write::Rule("t13d_a_b", Some(&rule))]).unwrap();
        drop(store);
        let saved = Store::open(dir.path()).unwrap().load().unwrap();
        assert_eq!(saved.entries, [(List::Block, prefix, entry)]);
        assert_eq!(saved.rules, [("t13d_a_b".to_owned(), rule)]);
        assert_eq!(saved.mode, Some(HostMode::Enforce));
    }

    #[test]
    fn what_was_removed_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let rule = SavedRule { lasts_s: 60, comment: String::new() };
        store.commit([Write::Rule("a", Some(&rule))]).unwrap();
        store.commit([Write::Rule("a", None)]).unwrap();
        assert!(store.load().unwrap().rules.is_empty());
    }

    #[test]
    fn a_second_opening_and_a_damaged_file_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let _store = Store::open(dir.path()).unwrap();
        assert!(Store::open(dir.path()).unwrap_err().to_string().contains(FILE));
        let other = tempfile::tempdir().unwrap();
        fs::write(other.path().join(FILE), b"garbage").unwrap();
        assert!(Store::open(other.path()).unwrap_err().to_string().contains(FILE));
    }
}
