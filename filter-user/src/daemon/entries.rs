//! Commands on lists' entries: checked, prepared, written to disk, let through to packets.

use super::engine::Engine;
use super::lists::{is_built_in, no_list, refused};
use super::operator::failed;
use super::policy::Prepared;
use crate::clock::Now;
use crate::config::parse_duration;
use crate::control::api::{AddEntries, Done, RemoveEntries};
use crate::control::handle::{Import, Refusal};
use crate::policy::entries::{Collected, Entries};
use crate::policy::note::Note;
use crate::policy::{Parsed, parse_prefix};
use crate::store::Write;
use ipnet::IpNet;

impl Engine {
    pub(super) fn handle_add(
        &mut self,
        name: &str,
        request: &AddEntries,
        now: Now,
    ) -> Result<Done, Refusal> {
        let parsed = parse_all(&request.prefixes)?;
        let note = Note {
            expires_unix_s: expiry(request.lasts.as_deref(), now)?,
            added_unix_ms: now.unix_ms,
            shadow: request.shadow,
            comment: request.comment.as_str().into(),
        };
        let present = &self.named(name)?.entries;
        // Adding what is there already changes it only if something else is said of it.
        let differs = |prefix: &IpNet| {
            present.get(prefix).is_none_or(|held| {
                (held.shadow, held.expires_unix_s) != (note.shadow, note.expires_unix_s)
            })
        };
        let prefixes = parsed.iter().map(|parsed| parsed.prefix);
        let fresh: Vec<IpNet> = prefixes.filter(differs).collect();
        let changes: Vec<_> = fresh.iter().map(|prefix| (*prefix, Some(&note))).collect();
        self.change_entries(name, &changes, now)?;
        match fresh.as_slice() {
            [] => {}
            [prefix] => self.tell_list(name, &format!("{prefix} added")),
            many => self.tell_list(name, &format!("{} entries added", many.len())),
        }
        let notes = host_bit_notes(&request.prefixes, &parsed);
        Ok(Done { changed: fresh.len(), notes })
    }

    pub(super) fn handle_remove(
        &mut self,
        name: &str,
        request: &RemoveEntries,
        now: Now,
    ) -> Result<Done, Refusal> {
        let parsed = parse_all(&request.prefixes)?;
        let prefixes: Vec<_> = parsed.iter().map(|parsed| parsed.prefix).collect();
        let entries = &self.named(name)?.entries;
        if let Some(missing) = prefixes.iter().find(|prefix| entries.get(prefix).is_none()) {
            return Err(Refusal::NotFound(format!("{missing} is not on the {}", called(name))));
        }
        let changes: Vec<_> = prefixes.iter().map(|prefix| (*prefix, None)).collect();
        self.change_entries(name, &changes, now)?;
        for prefix in &prefixes {
            self.tell_list(name, &format!("{prefix} removed"));
        }
        Ok(Done { changed: prefixes.len(), notes: Vec::new() })
    }

    pub(super) fn handle_import(&mut self, name: &str, import: Import) -> Result<Done, Refusal> {
        let Import { entries, report, replace, force } = import;
        let (fresh, duplicates) = entries.finish();
        let before = &self.named(name)?.entries;
        let held = before.len();
        if replace && !force {
            self.check_shrink(name, held, fresh.len())?;
        }
        let common = before.common(&fresh);
        let added = fresh.len() - common;
        let removed = if replace { held - common } else { 0 };
        let after = if replace { fresh } else { joined(before.clone(), &fresh) };
        self.put_entries(name, after)?;
        self.tell_list(name, &format!("{added} entries added, {removed} removed"));
        let notes = [
            (u64::try_from(added).unwrap_or(u64::MAX), "were added"),
            (u64::try_from(removed).unwrap_or(u64::MAX), "were removed"),
            (u64::try_from(common).unwrap_or(u64::MAX), "were on the list already"),
            (u64::try_from(duplicates).unwrap_or(u64::MAX), "came more than once"),
            (report.had_host_bits, "had host bits, which were cleared"),
            (report.expired, "had ended already and were left out"),
        ];
        let notes = notes.into_iter().filter(|(count, _)| *count > 0);
        let notes = notes.map(|(count, what)| format!("{count} {what}")).collect();
        Ok(Done { changed: added + removed, notes })
    }

    /// A list that loses most of its entries is more likely a failed download than a wish.
    fn check_shrink(&self, name: &str, before: usize, after: usize) -> Result<(), Refusal> {
        let share = usize::from(self.config.policy.max_shrink_percent);
        if after >= before || (before - after) * 100 <= before * share {
            return Ok(());
        }
        Err(Refusal::Conflict(format!(
            "{name} would shrink from {before} entries to {after}, by more than the {share} % that \
             `policy.max_shrink_percent` allows; nothing was changed. If it is meant: --force"
        )))
    }

    /// Adds and removes single entries: prepared, on disk, let through.
    fn change_entries(
        &mut self,
        name: &str,
        changes: &[(IpNet, Option<&Note>)],
        now: Now,
    ) -> Result<(), Refusal> {
        let before = self.edit(name, changes);
        let prefixes: Vec<_> = changes.iter().map(|(prefix, _)| *prefix).collect();
        let prepared = self.prepare(&prefixes, now).map_err(refused);
        let stored = prepared.and_then(|prepared| {
            let writes = changes.iter().map(|(prefix, note)| Write::Entry(name, *prefix, *note));
            self.store.commit(writes).map_err(failed)?;
            Ok(prepared)
        });
        match stored {
            Ok(prepared) => self.release(prepared).map_err(failed),
            Err(refusal) => {
                let before: Vec<_> = before.iter().rev().map(|(p, n)| (*p, n.as_ref())).collect();
                self.edit(name, &before);
                Err(refusal)
            }
        }
    }

    /// Changes entries in memory alone; what was there comes back.
    pub(super) fn edit(
        &mut self,
        name: &str,
        changes: &[(IpNet, Option<&Note>)],
    ) -> Vec<(IpNet, Option<Note>)> {
        let Some(list) = self.policy.list_mut(name) else {
            return Vec::new();
        };
        let each = changes.iter().map(|(prefix, note)| {
            let before = match note {
                Some(note) => list.entries.insert(prefix, (*note).clone()),
                None => list.entries.remove(prefix),
            };
            (*prefix, before)
        });
        each.collect()
    }

    /// Gives a list other entries: all of them at once, on disk and for packets.
    pub(super) fn put_entries(&mut self, name: &str, entries: Entries) -> Result<(), Refusal> {
        let Some(list) = self.policy.list_mut(name) else {
            return Err(no_list(name));
        };
        let before = std::mem::replace(&mut list.entries, entries);
        let prepared = self.prepare_entries(name);
        if prepared.is_err()
            && let Some(list) = self.policy.list_mut(name)
        {
            list.entries = before;
        }
        self.release(prepared?).map_err(failed)
    }

    fn prepare_entries(&self, name: &str) -> Result<Prepared, Refusal> {
        let list = self.policy.list(name).ok_or_else(|| no_list(name))?;
        self.prepare_stored(&Write::Entries(name, &list.entries))
    }
}

/// When what lasts so long ends, in seconds since 1970; zero is never.
fn expiry(lasts: Option<&str>, now: Now) -> Result<u64, Refusal> {
    let lasts = lasts.map(parse_duration).transpose().map_err(Refusal::Invalid)?;
    Ok(lasts.map_or(0, |lasts| now.unix_ms_after(lasts).div_ceil(1000)))
}

/// What a list has, with more laid over it.
fn joined(before: Entries, more: &Entries) -> Entries {
    let mut all = Collected::onto(before);
    for (prefix, note) in more.iter() {
        all.push(prefix, note.clone());
    }
    all.finish().0
}

fn called(name: &str) -> String {
    if is_built_in(name) { format!("{name}list") } else { format!("list {name}") }
}

fn parse_all(texts: &[String]) -> Result<Vec<Parsed>, Refusal> {
    if texts.is_empty() {
        return Err(Refusal::Invalid("no prefix is named".into()));
    }
    let parse = |text: &String| parse_prefix(text).map_err(|e| Refusal::Invalid(e.to_string()));
    texts.iter().map(parse).collect()
}

fn host_bit_notes(texts: &[String], parsed: &[Parsed]) -> Vec<String> {
    let pairs = texts.iter().zip(parsed).filter(|(_, parsed)| parsed.had_host_bits);
    pairs
        .map(|(text, parsed)| format!("{text} has host bits; taken as {}", parsed.prefix))
        .collect()
}
