//! What has to survive: every accepted command, on disk before it is acknowledged.
//!
//! A list's entries are one value, its snapshot, that an import writes whole; entries
//! that were added or removed since are records of their own.

mod snapshot;

use crate::config::HostMode;
use crate::policy::entries::Entries;
use crate::policy::list::{ListAction, ListSettings};
use crate::policy::note::Note;
use crate::policy::parse_prefix;
use crate::verdict::Verdict;
use filter_common::abi::Mode;
use filter_common::abi::address::ListId;
use ipnet::IpNet;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One table: a path-like key, a JSON value.
const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records");

/// A list's name, and its entries when they were last written whole.
const SNAPSHOTS: TableDefinition<&str, &[u8]> = TableDefinition::new("snapshots");

/// Bytes that the store keeps in memory.
const CACHE_BYTES: usize = 8 << 20;

const FILE: &str = "palisade.redb";
const MODE: &str = "mode";

/// The store.
#[derive(Debug)]
pub struct Store {
    database: Database,
    path: PathBuf,
}

/// Something to write down. `None` removes what was there.
#[derive(Clone, Copy, Debug)]
pub enum Write<'a> {
    /// What a list is; `None` removes it with its entries.
    List(&'a str, Option<(ListId, &'a ListSettings)>),
    /// All entries of a list, in the place of those it has.
    Entries(&'a str, &'a Entries),
    /// An entry of a list.
    Entry(&'a str, IpNet, Option<&'a Note>),
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

/// What a list is, on disk.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SavedList {
    id: u16,
    action: ListAction,
    shadow: bool,
    priority: i32,
}

/// What is said of an entry, on disk.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct SavedNote {
    shadow: bool,
    comment: String,
    added_unix_ms: u64,
    expires_unix_s: u64,
}

impl SavedNote {
    fn of(note: &Note) -> Self {
        let Note { expires_unix_s, added_unix_ms, shadow, comment } = note;
        Self {
            shadow: *shadow,
            comment: comment.as_ref().into(),
            added_unix_ms: *added_unix_ms,
            expires_unix_s: *expires_unix_s,
        }
    }

    fn note(self) -> Note {
        let Self { shadow, comment, added_unix_ms, expires_unix_s } = self;
        Note { expires_unix_s, added_unix_ms, shadow, comment: comment.into() }
    }
}

/// Everything that was written down.
#[derive(Debug, Default)]
pub struct Saved {
    /// What the lists are. The built-in ones are here if they were changed.
    pub lists: Vec<(String, ListId, ListSettings)>,
    /// The lists' entries.
    pub entries: BTreeMap<String, Entries>,
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
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(&path);
        let database = database.map_err(|error| failed(error.to_string()))?;
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
            let mut records = transaction.open_table(RECORDS).map_err(text)?;
            let mut snapshots = transaction.open_table(SNAPSHOTS).map_err(text)?;
            for write in writes {
                match write {
                    Write::Entries(name, entries) => {
                        let bytes = snapshot::encode(entries).map_err(text)?;
                        snapshots.insert(name, bytes.as_slice()).map_err(text)?;
                        forget_entries(&mut records, name)?;
                    }
                    Write::List(name, None) => {
                        snapshots.remove(name).map_err(text)?;
                        forget_entries(&mut records, name)?;
                        records.remove(list_key(name).as_str()).map_err(text)?;
                    }
                    write => put(&mut records, &write)?,
                }
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
        let mut saved = Saved::default();
        for record in transaction.open_table(SNAPSHOTS).map_err(text)?.iter().map_err(text)? {
            let (name, bytes) = record.map_err(text)?;
            let entries = snapshot::decode(bytes.value());
            let entries = entries.map_err(|error| format!("list {:?}: {error}", name.value()))?;
            saved.entries.insert(name.value().into(), entries);
        }
        let table = transaction.open_table(RECORDS).map_err(text)?;
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

fn list_key(name: &str) -> String {
    format!("list/{name}")
}

/// Removes the records of a list's single entries.
fn forget_entries(records: &mut Table<&str, &[u8]>, name: &str) -> Result<(), String> {
    // '0' comes right behind '/'.
    let (first, last) = (format!("entry/{name}/"), format!("entry/{name}0"));
    records.retain_in(first.as_str()..last.as_str(), |_, _| false).map_err(text)
}

fn put(records: &mut Table<&str, &[u8]>, write: &Write) -> Result<(), String> {
    let (key, value) = encode(write)?;
    match value {
        Some(value) => records.insert(key.as_str(), value.as_slice()).map_err(text)?,
        None => records.remove(key.as_str()).map_err(text)?,
    };
    Ok(())
}

fn encode(write: &Write) -> Result<(String, Option<Vec<u8>>), String> {
    fn json<T: Serialize>(value: Option<&T>) -> Result<Option<Vec<u8>>, String> {
        value.map(serde_json::to_vec).transpose().map_err(text)
    }
    Ok(match write {
        Write::List(name, list) => {
            let saved = list.map(|(id, settings)| SavedList {
                id: id.0,
                action: settings.action.clone(),
                shadow: settings.mode == Mode::SHADOW,
                priority: settings.priority,
            });
            (list_key(name), json(saved.as_ref())?)
        }
        Write::Entries(name, _) => return Err(format!("the entries of {name} are no record")),
        // An entry that was removed is written down as such: the snapshot may have it.
        Write::Entry(list, prefix, note) => {
            (format!("entry/{list}/{prefix}"), json(Some(&note.map(SavedNote::of)))?)
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
        "list" => {
            let SavedList { id, action, shadow, priority } = from_json(value)?;
            let mode = if shadow { Mode::SHADOW } else { Mode::ENFORCE };
            let settings = ListSettings { action, mode, priority };
            saved.lists.push((name.to_owned(), ListId(id), settings));
        }
        "entry" => {
            let (list, prefix) = name.split_once('/').ok_or("names no prefix")?;
            let prefix = parse_prefix(prefix).map_err(text)?.prefix;
            let entries = saved.entries.entry(list.to_owned()).or_default();
            match from_json::<Option<SavedNote>>(value)? {
                Some(note) => entries.insert(&prefix, note.note()),
                None => entries.remove(&prefix),
            };
        }
        "verdict" => saved.verdicts.push((prefix()?, from_json(value)?)),
        "rule" => saved.rules.push((name.to_owned(), from_json(value)?)),
        MODE => saved.mode = Some(from_json(value)?),
        _ => return Err("of an unknown kind; a newer version may have written it".into()),
    }
    Ok(())
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
mod tests;
