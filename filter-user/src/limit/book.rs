//! All limits, under their names.

use super::built_in;
use super::check::SettingsError;
use super::compile::{CompileError, Compiled};
use super::settings::LimitSettings;
use crate::policy::list::{NameError, check_name};
use filter_common::abi::limit::{ListLimit, PROFILE_COUNT, THROTTLE_PROFILE};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All limits, under their names. They fit into the kernel: what wouldn't is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitBook {
    limits: BTreeMap<String, NamedLimit>,
    compiled: Compiled,
    /// The number that was given away last; the next search starts behind it.
    last: u32,
}

/// A limit in the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedLimit {
    /// The kernel's number of it. It stays as long as the limit counts the same.
    pub number: u32,
    /// What it says.
    pub settings: LimitSettings,
    /// Where it is from.
    pub origin: Origin,
}

/// Where a limit is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Nobody said anything.
    BuiltIn,
    /// The configuration file.
    Config,
    /// A command.
    Operator,
}

/// What became of a limit that was put into the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number.
    pub number: u32,
    /// The number that it had, if it counts something else now.
    pub retired: Option<u32>,
    /// What it was before.
    pub before: Option<NamedLimit>,
}

/// A limit that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// Its name can't be one.
    #[error("{0}")]
    Name(#[from] NameError),
    /// It makes no sense.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// It doesn't fit in beside the others.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// There are as many as there can be.
    #[error("there are {} limits already, as many as there can be; delete one", PROFILE_COUNT - 1)]
    Full,
    /// The throttle applies to clients, not to services.
    #[error(
        "the throttle is for clients with a throttle verdict, whatever they ask for: it has no services"
    )]
    ThrottleServices,
    /// The throttle counts clients.
    #[error(
        "the throttle is for clients with a throttle verdict: it can't count everybody together"
    )]
    ThrottleTogether,
    /// There is no limit of this name.
    #[error("there is no limit {0:?}; `palisade limit ls` shows them")]
    NotFound(String),
    /// Lists limit clients.
    #[error("{0} counts everybody together; a list limits each of its clients")]
    Together(String),
    /// Only rules on hellos know a fingerprint.
    #[error("{0} counts by fingerprint; only rules on ClientHellos can name it")]
    Fingerprint(String),
}

impl LimitBook {
    /// The limits, by name.
    #[must_use]
    pub const fn profiles(&self) -> &BTreeMap<String, NamedLimit> {
        &self.limits
    }

    /// A limit.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&NamedLimit> {
        self.limits.get(name)
    }

    /// The limit with a number.
    #[must_use]
    pub fn by_number(&self, number: u32) -> Option<(&str, &NamedLimit)> {
        let found = self.limits.iter().find(|(_, limit)| limit.number == number);
        found.map(|(name, limit)| (name.as_str(), limit))
    }

    /// Puts a limit into the book, in the place of one of the same name.
    ///
    /// It keeps its number as long as it counts the same; else it gets a new one, so that
    /// what was counted isn't read as something else. A new limit gets `number` if that is
    /// free.
    ///
    /// *Errors*: [`BookError`]; nothing has changed then.
    pub fn put(
        &mut self,
        name: &str,
        settings: LimitSettings,
        origin: Origin,
        number: Option<u32>,
    ) -> Result<Change, BookError> {
        check(name, &settings)?;
        let before = self.limits.get(name).cloned();
        let kept = before.as_ref().filter(|before| before.settings.counts_like(&settings));
        let number = match kept {
            Some(before) => before.number,
            None => self.free_number(name, number).ok_or(BookError::Full)?,
        };
        let limit = NamedLimit { number, settings, origin };
        let others = self.limits.iter().filter(|(other, _)| *other != name);
        let all = others.map(|(_, limit)| limit).chain([&limit]);
        let compiled = Compiled::of(all.map(|limit| (limit.number, &limit.settings)))?;
        self.compiled = compiled;
        self.last = if kept.is_none() { number } else { self.last };
        self.limits.insert(name.into(), limit);
        let former = before.as_ref().map(|before| before.number);
        Ok(Change { number, retired: former.filter(|former| *former != number), before })
    }

    /// Takes a limit out of the book; `None` when there was none.
    pub fn remove(&mut self, name: &str) -> Option<NamedLimit> {
        let limit = self.limits.remove(name)?;
        let left = self.limits.values().map(|limit| (limit.number, &limit.settings));
        match Compiled::of(left) {
            Ok(compiled) => self.compiled = compiled,
            Err(error) => debug_assert!(false, "what is left fits in: {error}"),
        }
        Some(limit)
    }

    /// What the kernel is told.
    #[must_use]
    pub const fn compile(&self) -> &Compiled {
        &self.compiled
    }

    /// What a list with `limit:NAME` limits its clients to; nothing, if the limit is off.
    ///
    /// *Errors*: [`BookError::NotFound`] and [`BookError::Together`].
    pub fn list_limit(&self, name: &str) -> Result<ListLimit, BookError> {
        let shortened = || name.chars().take(60).collect();
        let limit = self.get(name).ok_or_else(|| BookError::NotFound(shortened()))?;
        if limit.settings.key.is_service() {
            return Err(BookError::Together(name.into()));
        }
        if limit.settings.key.needs_fingerprint() {
            return Err(BookError::Fingerprint(name.into()));
        }
        if !limit.settings.is_on() {
            return Ok(ListLimit::default());
        }
        let unit = u32::from(limit.settings.unit.number());
        Ok(ListLimit { profile: limit.number, unit })
    }

    /// A number that no limit has. Those that were given back lately come last: packets
    /// that were under way may still count with them.
    fn free_number(&self, name: &str, wanted: Option<u32>) -> Option<u32> {
        if name == built_in::THROTTLE {
            return Some(THROTTLE_PROFILE);
        }
        let numbers = THROTTLE_PROFILE + 1..PROFILE_COUNT;
        let used = |number: &u32| self.by_number(*number).is_some();
        let wanted = wanted.or_else(|| built_in::number_of(name));
        let wanted = wanted.filter(|number| numbers.contains(number) && !used(number));
        let first = numbers.start.max(FIRST_FREE).max(self.last + 1);
        let others = (first..numbers.end).chain(FIRST_FREE..numbers.end).chain(numbers);
        wanted.or_else(|| others.into_iter().find(|number| !used(number)))
    }
}

/// Numbers below are those of built-in limits, and given to others last.
const FIRST_FREE: u32 = 4;

/// Whether a limit can have this name and these settings.
///
/// *Errors*: [`BookError`].
pub fn check(name: &str, settings: &LimitSettings) -> Result<(), BookError> {
    check_name(name)?;
    settings.check()?;
    let is_throttle = name == built_in::THROTTLE;
    if is_throttle && settings.key.needs_fingerprint() {
        return Err(BookError::Fingerprint(name.into()));
    }
    if is_throttle && settings.key.is_service() {
        return Err(BookError::ThrottleTogether);
    }
    if is_throttle && !settings.services.is_empty() {
        return Err(BookError::ThrottleServices);
    }
    Ok(())
}
