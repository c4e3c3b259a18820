//! Commands on limit profiles: checked, written to disk, put into the kernel.

mod explain;
mod report;
mod request;
mod restore;
mod tick;

use super::engine::Engine;
use super::operator::failed;
use crate::clock::Now;
use crate::control::api::{Done, SetLimit};
use crate::control::handle::Refusal;
use crate::limit::built_in::THROTTLE;
use crate::limit::{BookError, LimitBook, LimitSettings, NamedLimit, Origin};
use crate::policy::list::ListAction;
use crate::rule::{Pattern, Target};
use crate::store::{SavedLimit, Write};
use aya::maps::MapError;
use filter_common::abi::limit::ListLimit;
use request::Standing;

impl Engine {
    pub(super) fn handle_set_limit(
        &mut self,
        name: &str,
        request: SetLimit,
        now: Now,
    ) -> Result<Done, Refusal> {
        let before = self.limits.get(name).map(|limit| limit.settings.clone());
        let settings = request::merged(before.as_ref(), request)
            .map_err(|error| Refusal::Invalid(format!("limit {name}: {error}")))?;
        if before.as_ref() == Some(&settings) {
            self.retry_limits(now).map_err(|error| not_in_force(name, &error))?;
            return Ok(Done::default());
        }
        self.change(name, settings.clone(), Origin::Operator, now)?;
        let verb = if before.is_some() { "changed" } else { "created" };
        self.tell_limit(name, &format!("{verb}: {} of {}", settings.allowance, settings.unit));
        let standing = Standing {
            name,
            before: before.as_ref(),
            is_named: name == THROTTLE || self.check_unnamed(name, "").is_err(),
            is_configured: self.configured(name).is_some(),
            mode: self.mode(),
        };
        Ok(Done { changed: 1, notes: request::notes(&settings, &standing) })
    }

    pub(super) fn handle_remove_limit(&mut self, name: &str, now: Now) -> Result<Done, Refusal> {
        let limit = self.limits.get(name).ok_or_else(|| no_limit(name))?;
        match self.configured(name) {
            Some(_) if limit.origin != Origin::Operator => Err(Refusal::Conflict(format!(
                "{name} is a limit of the configuration, or built in: `palisade limit set {name} \
                 --action off` turns it off, and so does the configuration"
            ))),
            Some((settings, origin)) => {
                self.change(name, settings, origin, now)?;
                self.tell_limit(name, "is again what the configuration says");
                let note = "it is again what the configuration says".to_owned();
                Ok(Done { changed: 1, notes: vec![note] })
            }
            None => {
                self.check_unnamed(name, "can't be removed")?;
                let mut next = self.limits.clone();
                next.remove(name);
                self.adopt(next, name, now)?;
                self.tell_limit(name, "removed");
                Ok(Done { changed: 1, notes: Vec::new() })
            }
        }
    }

    /// Gives a profile other settings, or makes it.
    fn change(
        &mut self,
        name: &str,
        settings: LimitSettings,
        origin: Origin,
        now: Now,
    ) -> Result<(), Refusal> {
        if settings.key.is_service() {
            self.check_unnamed(name, "can't count everybody together")?;
        }
        if settings.key.needs_fingerprint() && !self.lists_with(name).is_empty() {
            self.check_unnamed(name, "can't count by fingerprint")?;
        }
        let on_causes = |pattern: &Pattern| matches!(pattern.target, Target::Cause(_));
        if settings.key.needs_fingerprint() && self.rules.with_limit(name).any(on_causes) {
            self.check_unnamed(name, "can't count by fingerprint what has none")?;
        }
        if !settings.fits_rules() && self.rules.with_limit(name).next().is_some() {
            self.check_unnamed(name, "can't count anything but handshakes")?;
        }
        let mut next = self.limits.clone();
        next.put(name, settings, origin, None).map_err(refused)?;
        self.adopt(next, name, now)
    }

    /// Writes a profile down as the next book has it, and puts that book in force.
    ///
    /// After the first of the two, memory and disk agree: if the kernel refuses, it is tried
    /// again each second.
    fn adopt(&mut self, next: LimitBook, name: &str, now: Now) -> Result<(), Refusal> {
        let saved = next.get(name).map(SavedLimit::from);
        self.store.commit([Write::Limit(name, saved.as_ref())]).map_err(failed)?;
        let former = std::mem::replace(&mut self.limits, next);
        let kept = saved.is_some_and(|saved| {
            saved.settings.guard
                && saved.settings.is_on()
                && former.get(name).is_some_and(|former| former.number == saved.number)
        });
        if !kept {
            self.guard.forget(name);
        }
        // The second of the two is a new guard's first look: it says where counting starts.
        self.limits_pending = true;
        self.retry_limits(now).map_err(|error| not_in_force(name, &error))?;
        if let Err(error) = self.watch_guards(now) {
            tracing::warn!(%error, "what the limits counted can't be read");
        }
        Ok(())
    }

    /// Puts limits in force that the kernel has refused so far.
    fn retry_limits(&mut self, now: Now) -> Result<(), MapError> {
        if self.limits_pending {
            self.apply_limits(now)?;
            self.limits_pending = false;
        }
        Ok(())
    }

    /// Puts the book and the lists' limits into the kernel, which forgets what was used of
    /// profiles that are gone or count something else.
    ///
    /// A list whose profile has got another number limits nobody between the two steps.
    fn apply_limits(&mut self, now: Now) -> Result<(), MapError> {
        let lists = self.policy.lists().values();
        let lists = lists.filter(|list| matches!(list.settings.action, ListAction::Limit(_)));
        let lists = lists.map(|list| (list.id, self.limit_of(&list.settings.action)));
        let lists: Vec<_> = lists.collect();
        let compiled = self.limits.compile().clone();
        let maps = self.limit_maps()?;
        maps.apply(&compiled, now.ktime_ns)?;
        for (id, limit) in lists {
            // A list's profile is in the book: it can't be removed as long as it is named.
            maps.set_list_limit(id, limit.unwrap_or_default())?;
        }
        // Rules name limits by their numbers. A daemon that has only just started has none in its
        // book yet, and those in the kernel stay in force.
        if self.rules.iter().next().is_none() { Ok(()) } else { self.refresh_rules(now) }
    }

    /// The limit that an action names.
    pub(super) fn limit_of(&self, action: &ListAction) -> Result<ListLimit, Refusal> {
        let ListAction::Limit(name) = action else {
            return Ok(ListLimit::default());
        };
        self.limits.list_limit(name).map_err(|error| match error {
            BookError::NotFound(_) => {
                let profiles = self.limits.profiles().iter();
                let usable = profiles.filter(|(_, limit)| {
                    !limit.settings.key.is_service() && !limit.settings.key.needs_fingerprint()
                });
                let names: Vec<_> = usable.map(|(name, _)| name.as_str()).collect();
                let text = format!("{error}; a list can name {}", names.join(", "));
                Refusal::Conflict(text)
            }
            error => Refusal::Conflict(error.to_string()),
        })
    }

    /// What the configuration says of a profile, or what is built in.
    fn configured(&self, name: &str) -> Option<(LimitSettings, Origin)> {
        let mut all = self.config.limits.iter();
        let found = all.find(|(known, ..)| *known == name);
        found.map(|(_, settings, origin)| (settings.clone(), origin))
    }

    /// The lists that name a profile.
    fn lists_with(&self, name: &str) -> Vec<String> {
        let names =
            |action: &ListAction| matches!(action, ListAction::Limit(named) if named == name);
        let lists = self.policy.lists().iter();
        let lists = lists.filter(|(_, list)| names(&list.settings.action));
        lists.map(|(list, _)| list.clone()).collect()
    }

    fn check_unnamed(&self, name: &str, what: &str) -> Result<(), Refusal> {
        let rules = self.rules.with_limit(name).map(|pattern| format!("the rule on {pattern}"));
        let lists = self.lists_with(name).into_iter().map(|list| format!("the list {list}"));
        let naming: Vec<_> = lists.chain(rules).collect();
        if naming.is_empty() {
            return Ok(());
        }
        Err(Refusal::Conflict(format!(
            "{name} {what} as long as it is named: {}; remove these or give them another action \
             first",
            naming.join(", ")
        )))
    }

    fn tell_limit(&self, name: &str, text: &str) {
        self.tell(Now::read(), "limit", Some(name.into()), text.into());
    }
}

impl From<&NamedLimit> for SavedLimit {
    fn from(limit: &NamedLimit) -> Self {
        let NamedLimit { number, settings, origin } = limit;
        Self { number: *number, settings: settings.clone(), origin: *origin }
    }
}

fn not_in_force(name: &str, error: &MapError) -> Refusal {
    failed(format!("limit {name} is on disk, and not yet in force: {error}"))
}

fn refused(error: BookError) -> Refusal {
    match error {
        BookError::Full | BookError::Compile(_) => Refusal::Conflict(error.to_string()),
        error => Refusal::Invalid(error.to_string()),
    }
}

fn no_limit(name: &str) -> Refusal {
    let name: String = name.chars().take(60).collect();
    Refusal::NotFound(format!("there is no limit profile {name:?}; `palisade limit ls` shows them"))
}
