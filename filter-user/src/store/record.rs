//! Records: what a command left behind, under a path-like key.

use super::{Saved, Write, text};
use crate::policy::list::{ListAction, ListSettings};
use crate::policy::note::Note;
use crate::policy::parse_prefix;
use crate::rule::{Pattern, PatternError};
use filter_common::abi::Mode;
use filter_common::abi::address::ListId;
use redb::Table;
use serde::{Deserialize, Serialize};

const MODE: &str = "mode";
const KNOWLEDGE: &str = "knowledge";

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
pub(super) struct SavedNote {
    shadow: bool,
    comment: String,
    added_unix_ms: u64,
    expires_unix_s: u64,
}

impl SavedNote {
    pub(super) fn of(note: &Note) -> Self {
        let Note { expires_unix_s, added_unix_ms, shadow, comment } = note;
        Self {
            shadow: *shadow,
            comment: comment.as_ref().into(),
            added_unix_ms: *added_unix_ms,
            expires_unix_s: *expires_unix_s,
        }
    }

    pub(super) fn note(self) -> Note {
        let Self { shadow, comment, added_unix_ms, expires_unix_s } = self;
        Note { expires_unix_s, added_unix_ms, shadow, comment: comment.into() }
    }
}

/// The key of what a list is.
pub(super) fn list_key(name: &str) -> String {
    format!("list/{name}")
}

/// Writes a record, or removes it.
pub(super) fn put(records: &mut Table<&str, &[u8]>, write: &Write) -> Result<(), String> {
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
        Write::Rule(pattern, rule) => (rule_key(pattern), json(*rule)?),
        Write::Limit(name, limit) => (format!("limit/{name}"), json(*limit)?),
        Write::Label(ja4, label) => (format!("label/{ja4}"), json(label.as_ref())?),
        Write::Decided((service, whom), record) => {
            (format!("decided/{service}/{whom}"), json(*record)?)
        }
        Write::Exception(whom, exception) => (format!("exception/{whom}"), json(*exception)?),
        Write::Mode(mode) => (MODE.into(), json(Some(mode))?),
        Write::Knowledge(knowledge) => (KNOWLEDGE.into(), json(*knowledge)?),
    })
}

/// A rule's key. One on a fingerprint is named by that alone: earlier versions had no others.
fn rule_key(pattern: &Pattern) -> String {
    let name = pattern.to_string();
    format!("rule/{}", name.strip_prefix(JA4).unwrap_or(&name))
}

fn rule_pattern(name: &str) -> Result<Pattern, String> {
    // A JA4 alone is no pattern.
    let parsed = name.parse().or_else(|_| format!("{JA4}{name}").parse());
    parsed.map_err(|error: PatternError| error.to_string())
}

const JA4: &str = "ja4:";

/// Reads a record.
///
/// *Errors*: what is wrong with it.
pub(super) fn decode(key: &str, value: &[u8], saved: &mut Saved) -> Result<(), String> {
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
        "rule" => saved.rules.push((rule_pattern(name)?, from_json(value)?)),
        "limit" => saved.limits.push((name.to_owned(), from_json(value)?)),
        "label" => drop(saved.labels.insert(name.to_owned(), from_json(value)?)),
        "decided" => {
            let (service, whom) = name.split_once('/').ok_or("names nobody")?;
            let whom = whom.parse().map_err(text)?;
            saved.judged.records.push(((service.to_owned(), whom), from_json(value)?));
        }
        "exception" => saved.judged.exceptions.push(from_json(value)?),
        KNOWLEDGE => saved.knowledge = Some(from_json(value)?),
        MODE => saved.mode = Some(from_json(value)?),
        _ => return Err("of an unknown kind; a newer version may have written it".into()),
    }
    Ok(())
}

fn from_json<'a, T: Deserialize<'a>>(value: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(value).map_err(text)
}
