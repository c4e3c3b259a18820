//! Commands on lists: checked, prepared, written to disk, let through to packets.

use super::engine::Engine;
use super::operator::failed;
use super::policy::{PolicyError, Prepared};
use crate::clock::Now;
use crate::control::api::{CreateList, Done, SetList};
use crate::control::handle::Refusal;
use crate::policy::entries::Entries;
use crate::policy::list::{List, ListSettings};
use crate::policy::{ALLOW_LIST, BLOCK_LIST, CreateError};
use crate::store::Write;
use filter_common::abi::Mode;

impl Engine {
    pub(super) fn handle_create(&mut self, request: CreateList) -> Result<Done, Refusal> {
        let CreateList { name, action, shadow, priority } = request;
        let id = self.policy.check_new(&name).map_err(|error| match error {
            CreateError::Name(_) => Refusal::Invalid(error.to_string()),
            _ => Refusal::Conflict(error.to_string()),
        })?;
        let limit = self.limit_of(&action)?;
        let settings = ListSettings { action, mode: mode_of(shadow), priority };
        let list = List { id, settings, entries: Entries::default() };
        self.maps().and_then(|maps| maps.clear_list_counters(id)).map_err(failed)?;
        self.limit_maps().and_then(|maps| maps.set_list_limit(id, limit)).map_err(failed)?;
        self.store.commit([Write::List(&name, Some((id, &list.settings)))]).map_err(failed)?;
        self.policy.put(&name, list);
        self.tell_list(&name, "created");
        Ok(Done { changed: 1, notes: Vec::new() })
    }

    pub(super) fn handle_set(&mut self, name: &str, request: SetList) -> Result<Done, Refusal> {
        let List { id, settings: before, .. } = self.named(name)?;
        let (id, before) = (*id, before.clone());
        let mut settings = before.clone();
        settings.action = request.action.unwrap_or(settings.action);
        settings.mode = request.shadow.map_or(settings.mode, mode_of);
        settings.priority = request.priority.unwrap_or(settings.priority);
        if settings == before {
            return Ok(Done::default());
        }
        if is_built_in(name) && settings.action != before.action {
            let text = format!("what the built-in list {name} does is fixed; make another list");
            return Err(Refusal::Conflict(text));
        }
        let limit = self.limit_of(&settings.action)?;
        self.put_settings(name, &settings);
        let prepared = self.prepare_stored(&Write::List(name, Some((id, &settings))));
        let prepared = prepared.inspect_err(|_| self.put_settings(name, &before))?;
        // A packet may meet the new limit just before the new image.
        self.limit_maps().and_then(|maps| maps.set_list_limit(id, limit)).map_err(failed)?;
        self.release(prepared).map_err(failed)?;
        self.tell_list(name, "changed");
        Ok(Done { changed: 1, notes: Vec::new() })
    }

    pub(super) fn handle_drop(&mut self, name: &str) -> Result<Done, Refusal> {
        let changed = self.named(name)?.entries.len();
        if is_built_in(name) {
            self.put_entries(name, Entries::default())?;
            self.tell_list(name, "emptied");
            let note = format!("{name} is built in: it was emptied, and stays");
            return Ok(Done { changed, notes: vec![note] });
        }
        let before = self.policy.take(name);
        let prepared = self.prepare_stored(&Write::List(name, None));
        if let (Err(_), Some(before)) = (&prepared, before) {
            self.policy.put(name, before);
        }
        self.release(prepared?).map_err(failed)?;
        self.tell_list(name, "dropped");
        Ok(Done { changed: changed.max(1), notes: vec![format!("{changed} entries went with it")] })
    }

    /// Gives a list other settings, in memory alone.
    fn put_settings(&mut self, name: &str, settings: &ListSettings) {
        if let Some(list) = self.policy.list_mut(name) {
            list.settings = settings.clone();
        }
    }

    /// Prepares a whole new image, and writes down what it follows from. After that
    /// memory and disk agree: if the release fails, the next image makes it good.
    pub(super) fn prepare_stored(&self, write: &Write<'_>) -> Result<Prepared, Refusal> {
        let prepared = self.prepare_whole(Now::read()).map_err(refused)?;
        self.store.commit([*write]).map_err(failed)?;
        Ok(prepared)
    }

    /// A list.
    pub(super) fn named(&self, name: &str) -> Result<&List, Refusal> {
        self.policy.list(name).ok_or_else(|| no_list(name))
    }

    /// Tells of a list.
    pub(super) fn tell_list(&self, name: &str, text: &str) {
        self.tell(Now::read(), "list", Some(name.into()), text.into());
    }
}

/// A policy that is too large is refused; anything else is a failure.
pub(super) fn refused(error: PolicyError) -> Refusal {
    match error {
        PolicyError::TooLarge(_) => Refusal::Conflict(error.to_string()),
        error => failed(error),
    }
}

pub(super) fn no_list(name: &str) -> Refusal {
    let name: String = name.chars().take(60).collect();
    Refusal::NotFound(format!("there is no list {name:?}; `palisade list ls` shows them"))
}

pub(super) fn is_built_in(name: &str) -> bool {
    [ALLOW_LIST, BLOCK_LIST].contains(&name)
}

const fn mode_of(shadow: bool) -> Mode {
    if shadow { Mode::SHADOW } else { Mode::ENFORCE }
}
