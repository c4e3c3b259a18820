//! What has to survive: every accepted command, on disk before it is acknowledged.
//!
//! A list's entries are one value, its snapshot, that an import writes whole; entries
//! that were added or removed since are records of their own.

mod record;
mod snapshot;

use crate::classify::decision::exception::Exception;
use crate::classify::decision::record::{Key, Record};
use crate::classify::decision::{Whom, judge};
use crate::classify::knowledge::{Day, Provenance};
use crate::config::HostMode;
use crate::limit::{LimitSettings, Origin};
use crate::policy::entries::Entries;
use crate::policy::list::ListSettings;
use crate::policy::note::Note;
use crate::rule::{HelloRule, Pattern};
use crate::verdict::Verdict;
use filter_common::abi::address::ListId;
use ipnet::IpNet;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One table: a path-like key, a JSON value.
const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records");

/// A list's name, and its entries when they were last written whole.
const SNAPSHOTS: TableDefinition<&str, &[u8]> = TableDefinition::new("snapshots");

/// Bytes that the store keeps in memory.
const CACHE_BYTES: usize = 8 << 20;

const FILE: &str = "palisade.redb";

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
    /// A rule on `ClientHello`s.
    Rule(&'a Pattern, Option<&'a HelloRule>),
    /// A limit profile.
    Limit(&'a str, Option<&'a SavedLimit>),
    /// What operators call a fingerprint.
    Label(&'a str, Option<&'a str>),
    /// What was decided about somebody at a service.
    Decided(&'a Key, Option<&'a Record>),
    /// Somebody whom operators except from what the classifier decides.
    Exception(&'a Whom, Option<&'a Exception>),
    /// What `palisade mode` said last.
    Mode(HostMode),
    /// What is known of clients, in the place of what the program was shipped with.
    Knowledge(Option<&'a SavedKnowledge>),
}

/// A limit profile.
///
/// Those of the configuration are written down as well: what clients have used lies in the
/// kernel under a profile's number, and has to be found again when the daemon starts anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedLimit {
    /// Its number in the kernel.
    pub number: u32,
    /// What it was when it was written down.
    pub settings: LimitSettings,
    /// Who made it. Only what an operator made stands against the configuration.
    pub origin: Origin,
}

/// Knowledge that was imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedKnowledge {
    /// Its file's text.
    pub text: String,
    /// The signature that was checked, if one was asked for.
    pub signature: Option<String>,
    /// Where it came from.
    pub from: Provenance,
    /// The day of what the program was shipped with by then.
    pub shipped: Day,
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
    /// Rules on `ClientHello`s.
    pub rules: Vec<(Pattern, HelloRule)>,
    /// Limit profiles with their numbers.
    pub limits: Vec<(String, SavedLimit)>,
    /// What operators call fingerprints.
    pub labels: BTreeMap<String, String>,
    /// What was decided about whom, and whom operators except.
    pub judged: judge::Saved,
    /// What `palisade mode` said last.
    pub mode: Option<HostMode>,
    /// Knowledge that was imported.
    pub knowledge: Option<SavedKnowledge>,
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
                        records.remove(record::list_key(name).as_str()).map_err(text)?;
                    }
                    write => record::put(&mut records, &write)?,
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
            record::decode(key.value(), value.value(), &mut saved)
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

/// Removes the records of a list's single entries.
fn forget_entries(records: &mut Table<&str, &[u8]>, name: &str) -> Result<(), String> {
    // '0' comes right behind '/'.
    let (first, last) = (format!("entry/{name}/"), format!("entry/{name}0"));
    records.retain_in(first.as_str()..last.as_str(), |_, _| false).map_err(text)
}

#[cfg(test)]
mod tests;
