//! `[limits.NAME]`: a limit under its name, in the form of today or the one before it.

use super::RuleMode;
use crate::limit::book::check;
use crate::limit::{
    BookError, Counted, LimitAction, LimitBook, LimitKey, LimitSettings, Origin, Period, QuotaPer,
    RatePer, Service, SettingsError, Unit, Written, built_in,
};
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU64;

/// What clients and services may use, by name. The built-in limits are always among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits(BTreeMap<String, LimitSettings>);

impl Limits {
    /// Names, settings, and whether somebody wrote them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &LimitSettings, Origin)> {
        let built_in = built_in::all();
        self.0.iter().map(move |(name, settings)| {
            let is_built_in = built_in.iter().any(|(known, _, s)| *known == name && s == settings);
            let origin = if is_built_in { Origin::BuiltIn } else { Origin::Config };
            (name.as_str(), settings, origin)
        })
    }

    /// All of them, the built-in ones first.
    ///
    /// *Errors*: [`BookError`], when they don't fit in beside one another.
    pub fn book(&self) -> Result<LimitBook, BookError> {
        let mut book = LimitBook::default();
        let (built_in, others): (Vec<_>, Vec<_>) = self
            .iter()
            .partition(|(name, ..)| built_in::all().iter().any(|(known, ..)| known == name));
        for (name, settings, origin) in built_in.into_iter().chain(others) {
            book.put(name, settings.clone(), origin, None)?;
        }
        Ok(book)
    }

    /// A limit.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&LimitSettings> {
        self.0.get(name)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self(built_in::all().map(|(name, _, settings)| (name.into(), settings)).into())
    }
}

/// A table as it may be written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    unit: Option<Unit>,
    rate: Option<Counted<RatePer>>,
    burst: Option<Counted<NonZeroU64>>,
    quota: Option<Counted<QuotaPer>>,
    key: Option<LimitKey>,
    services: Option<Vec<Service>>,
    action: Option<LimitAction>,
    guard: Option<bool>,
    /// The former way to write a rate.
    per_sec: Option<NonZeroU64>,
    /// The former way to write an action.
    mode: Option<RuleMode>,
}

/// Where a table's limit says nothing itself.
struct Defaults {
    unit: Option<Unit>,
    services: Vec<Service>,
}

impl Table {
    fn settings(self, defaults: Defaults) -> Result<LimitSettings, String> {
        let rate = match (self.rate, self.per_sec) {
            (Some(_), Some(_)) => return Err("`per_sec` is the former `rate`; say one".into()),
            (None, Some(_)) if self.burst.is_none() => {
                return Err("`per_sec` needs a `burst` beside it".into());
            }
            (None, Some(units)) => Some(RatePer { units, period: Period::Second }.into()),
            (rate, None) => rate,
        };
        let action = match (self.action, self.mode) {
            (Some(_), Some(_)) => return Err("`mode` is the former `action`; say one".into()),
            (None, Some(mode)) => Some(former_action(mode)),
            (action, None) => action,
        };
        let written = Written {
            unit: self.unit.or(defaults.unit),
            rate,
            burst: self.burst,
            quota: self.quota,
            key: self.key,
            services: Some(self.services.unwrap_or(defaults.services)),
            action,
            guard: self.guard,
        };
        written.settings().map_err(|error: SettingsError| error.to_string())
    }
}

const fn former_action(mode: RuleMode) -> LimitAction {
    match mode {
        RuleMode::Enforce => LimitAction::Drop,
        RuleMode::Shadow => LimitAction::Shadow,
        RuleMode::Off => LimitAction::Off,
    }
}

impl Defaults {
    fn of(name: &str) -> Self {
        let found = built_in::all().into_iter().find(|(known, ..)| *known == name);
        let (unit, services) = found.map_or((None, Vec::new()), |(_, _, settings)| {
            (Some(settings.unit), settings.services)
        });
        Self { unit, services }
    }

    /// Of the former limits that only lists named.
    const fn former() -> Self {
        Self { unit: Some(Unit::Packets), services: Vec::new() }
    }
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut limits = Self::default();
        let written = deserializer.deserialize_map(Tables { former: false })?;
        limits.0.extend(written);
        limits.book().map_err(D::Error::custom)?;
        Ok(limits)
    }
}

/// Reads tables by name.
struct Tables {
    former: bool,
}

/// The name under which the former limits stand that only lists named.
const FORMER: &str = "profiles";

impl<'de> Visitor<'de> for Tables {
    type Value = BTreeMap<String, LimitSettings>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tables of limits, such as [limits.web]")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut limits = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == FORMER && !self.former {
                for (name, settings) in map.next_value_seed(Tables { former: true })? {
                    add(&mut limits, name, settings)?;
                }
                continue;
            }
            if self.former && built_in::all().iter().any(|(known, ..)| *known == name) {
                return Err(M::Error::custom(format!(
                    "{name} is built in now, and [limits.{name}] sets it; give this limit, and \
                     the lists that name it, another name"
                )));
            }
            let settings = map.next_value_seed(Named { name: &name, former: self.former })?;
            add(&mut limits, name, settings)?;
        }
        Ok(limits)
    }
}

fn add<E: serde::de::Error>(
    limits: &mut BTreeMap<String, LimitSettings>,
    name: String,
    settings: LimitSettings,
) -> Result<(), E> {
    if limits.contains_key(&name) {
        return Err(E::custom(format!("there are two limits {name}")));
    }
    limits.insert(name, settings);
    Ok(())
}

impl<'de> DeserializeSeed<'de> for Tables {
    type Value = BTreeMap<String, LimitSettings>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// Reads one table, so that an error names its line.
struct Named<'a> {
    name: &'a str,
    former: bool,
}

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = LimitSettings;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let table = Table::deserialize(deserializer)?;
        let defaults = if self.former { Defaults::former() } else { Defaults::of(self.name) };
        let settings = table.settings(defaults).map_err(D::Error::custom)?;
        check(self.name, &settings).map_err(D::Error::custom)?;
        Ok(settings)
    }
}
