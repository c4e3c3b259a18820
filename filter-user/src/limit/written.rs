//! Settings as they are written: in the configuration, in requests, in the store.

use super::check::SettingsError;
use super::counted::Counted;
use super::key::LimitKey;
use super::per::{QuotaPer, RatePer};
use super::service::Service;
use super::settings::{Allowance, LimitAction, LimitSettings};
use super::unit::Unit;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

/// A limit as it is written. What isn't said is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// What is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// A rate; not with a quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Counted<RatePer>>,
    /// A rate's burst; if none is said, what comes back in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<Counted<NonZeroU64>>,
    /// A quota; not with a rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Counted<QuotaPer>>,
    /// Who is counted; if nothing is said, each client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<LimitKey>,
    /// For what; if nothing is said, for whatever names the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<Service>>,
    /// What happens beyond; if nothing is said, it is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<LimitAction>,
    /// Whether half is kept for those who proved themselves; if nothing is said, rates of
    /// everybody together do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<bool>,
}

impl Written {
    /// The settings that it comes to.
    ///
    /// *Errors*: [`SettingsError`].
    pub fn settings(self) -> Result<LimitSettings, SettingsError> {
        let unit = self.unit.ok_or(SettingsError::NoUnit)?;
        let allowance = self.allowance(unit)?;
        let key = self.key.unwrap_or_default();
        let guards = key.is_service() && matches!(allowance, Allowance::Rate { .. });
        let settings = LimitSettings {
            unit,
            allowance,
            key,
            services: self.services.unwrap_or_default(),
            action: self.action.unwrap_or_default(),
            guard: self.guard.unwrap_or(guards),
        };
        settings.check()?;
        Ok(settings)
    }

    fn allowance(&self, unit: Unit) -> Result<Allowance, SettingsError> {
        match (self.rate, self.quota) {
            (Some(_), Some(_)) => Err(SettingsError::TwoAllowances),
            (None, None) => Err(SettingsError::NoAllowance),
            (None, Some(_)) if self.burst.is_some() => Err(SettingsError::QuotaBurst),
            (None, Some(quota)) => {
                let QuotaPer { cap, window } = quota.of(unit, "quota")?;
                Ok(Allowance::Quota { cap, window })
            }
            (Some(rate), None) => {
                let rate = rate.of(unit, "rate")?;
                let burst = self.burst.map(|burst| burst.of(unit, "burst")).transpose()?;
                Ok(Allowance::Rate { rate, burst: burst.unwrap_or_else(|| burst_of(unit, rate)) })
            }
        }
    }
}

/// The burst of a rate that says none: what comes back in a second.
fn burst_of(unit: Unit, rate: RatePer) -> NonZeroU64 {
    let per_sec = rate.units.get() / (rate.period.nanos() / 1_000_000_000);
    NonZeroU64::new(per_sec.max(unit.least())).unwrap_or(NonZeroU64::MIN)
}

impl TryFrom<Written> for LimitSettings {
    type Error = SettingsError;

    fn try_from(written: Written) -> Result<Self, SettingsError> {
        written.settings()
    }
}

impl From<LimitSettings> for Written {
    fn from(settings: LimitSettings) -> Self {
        let (rate, burst, quota) = match settings.allowance {
            Allowance::Rate { rate, burst } => (Some(rate.into()), Some(burst.into()), None),
            Allowance::Quota { cap, window } => (None, None, Some(QuotaPer { cap, window }.into())),
        };
        Self {
            unit: Some(settings.unit),
            rate,
            burst,
            quota,
            key: Some(settings.key),
            services: Some(settings.services),
            action: Some(settings.action),
            guard: Some(settings.guard),
        }
    }
}
