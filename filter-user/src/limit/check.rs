//! What a limit must not say.

use super::key::LimitKey;
use super::per::{Period, RatePer};
use super::service::Service;
use super::settings::{Allowance, LimitAction, LimitSettings};
use super::unit::Unit;
use filter_common::limit::quota::MAX_CAP;
use std::num::NonZeroU64;

/// Settings that make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The unit is missing.
    #[error("`unit` is missing; there are packets, bytes, connections and handshakes")]
    NoUnit,
    /// Neither a rate nor a quota.
    #[error("neither `rate` nor `quota` is given; a rate is written 100/s, a quota 10GB/day")]
    NoAllowance,
    /// A rate and a quota.
    #[error("a limit has a `rate` or a `quota` and not both; make two limits of it")]
    TwoAllowances,
    /// A quota's cap may come at once anyway.
    #[error("a quota has no `burst`: all of it may come at once")]
    QuotaBurst,
    /// An amount of bytes of something else.
    #[error("`{field}` is written in bytes, and the limit counts {unit}")]
    NotBytes {
        /// Which key.
        field: &'static str,
        /// What is counted.
        unit: Unit,
    },
    /// Too fast to be counted.
    #[error("{rate} is more than the {most} {unit} a second that can be counted")]
    TooFast {
        /// How fast.
        rate: RatePer,
        /// What may be.
        most: u64,
        /// What is counted.
        unit: Unit,
    },
    /// Too little at once.
    #[error("a `burst` of {burst} bytes is less than a super-packet's {least}, which has to fit")]
    SmallBurst {
        /// How much.
        burst: u64,
        /// What has to fit.
        least: u64,
    },
    /// The burst takes ages to come back.
    #[error("a `burst` of {burst} at {rate} takes more than a year to come back; lower it")]
    SlowBurst {
        /// How much.
        burst: u64,
        /// How fast.
        rate: RatePer,
    },
    /// The cap doesn't fit into a meter.
    #[error("a `quota` of {0} is more than the {MAX_CAP} that can be counted")]
    LargeCap(u64),
    /// A cap that no super-packet ever fits under.
    #[error("a `quota` of {cap} bytes is less than a super-packet's {least}, which has to fit")]
    SmallCap {
        /// How much.
        cap: u64,
        /// What has to fit.
        least: u64,
    },
    /// An IPv4 prefix length out of range.
    #[error("an IPv4 client of {0} bits can't be; its prefix length is between 1 and 32")]
    V4Len(u8),
    /// An IPv6 prefix length out of range.
    #[error(
        "an IPv6 client of {0} bits can't be; its prefix length is between 1 and 64: the owner \
         of a /64 would walk around a longer one"
    )]
    V6Len(u8),
    /// Nothing is counted.
    #[error("a limit of everybody together needs `services`; `any` is all of them")]
    NoServices,
    /// More services than anybody needs.
    #[error(
        "a limit has at most {MAX_SERVICES} services, and this one has {0}; use ranges of ports"
    )]
    ManyServices(usize),
    /// TCP units without TCP.
    #[error("{0} are TCP's, and none of the services is")]
    NoTcp(Unit),
    /// A fingerprint is known of hellos alone.
    #[error("by fingerprint handshakes are counted, and no {0}")]
    FingerprintUnit(Unit),
    /// A fingerprint isn't known when a service's limits are met.
    #[error(
        "a limit by fingerprint has no `services`: rules name it, as in `palisade rule set \
         any@tcp/443 --action limit:NAME`"
    )]
    FingerprintServices,
    /// A guard where everybody is counted apart.
    #[error("a `guard` keeps room among everybody; key it `service`, or leave the guard out")]
    ClientGuard,
    /// A guard of a quota.
    #[error("a quota has no `guard`; leave it out, or use a rate")]
    QuotaGuard,
    /// A SYN can't be answered with a reset here.
    #[error(
        "the action reset needs a connection, and a limit of connections refuses what would open \
         one; use drop"
    )]
    ResetConnections,
}

impl LimitSettings {
    /// Whether the settings make sense.
    ///
    /// *Errors*: [`SettingsError`], the first of what doesn't.
    pub fn check(&self) -> Result<(), SettingsError> {
        match self.allowance {
            Allowance::Rate { rate, burst } => check_rate(self.unit, rate, burst)?,
            Allowance::Quota { cap, .. } => check_cap(self.unit, cap)?,
        }
        self.check_key()?;
        self.check_services()?;
        if self.action == LimitAction::Reset && self.unit == Unit::Connections {
            return Err(SettingsError::ResetConnections);
        }
        Ok(())
    }

    fn check_key(&self) -> Result<(), SettingsError> {
        match self.key {
            LimitKey::Client { v4, .. } | LimitKey::FingerprintOfClient { v4, .. }
                if !(1..=32).contains(&v4) =>
            {
                Err(SettingsError::V4Len(v4))
            }
            LimitKey::Client { v6, .. } | LimitKey::FingerprintOfClient { v6, .. }
                if !(1..=64).contains(&v6) =>
            {
                Err(SettingsError::V6Len(v6))
            }
            key if key.needs_fingerprint() && self.unit != Unit::Handshakes => {
                Err(SettingsError::FingerprintUnit(self.unit))
            }
            key if key.needs_fingerprint() && !self.services.is_empty() => {
                Err(SettingsError::FingerprintServices)
            }
            key if key.needs_fingerprint() && self.guard => Err(SettingsError::ClientGuard),
            LimitKey::Client { .. } if self.guard => Err(SettingsError::ClientGuard),
            LimitKey::Service if self.guard && self.is_quota() => Err(SettingsError::QuotaGuard),
            LimitKey::Service if self.services.is_empty() => Err(SettingsError::NoServices),
            _ => Ok(()),
        }
    }

    fn check_services(&self) -> Result<(), SettingsError> {
        if self.services.len() > MAX_SERVICES {
            return Err(SettingsError::ManyServices(self.services.len()));
        }
        let has_tcp = self.services.is_empty() || self.services.iter().any(Service::has_tcp);
        if self.unit.is_tcp_only() && !has_tcp {
            return Err(SettingsError::NoTcp(self.unit));
        }
        Ok(())
    }
}

fn check_rate(unit: Unit, rate: RatePer, burst: NonZeroU64) -> Result<(), SettingsError> {
    let (units, period_ns) = (u128::from(rate.units.get()), u128::from(rate.period.nanos()));
    let most = unit.max_per_sec();
    if units * u128::from(Period::Second.nanos()) > u128::from(most) * period_ns {
        return Err(SettingsError::TooFast { rate, most, unit });
    }
    let (burst, least) = (burst.get(), unit.least());
    if burst < least {
        return Err(SettingsError::SmallBurst { burst, least });
    }
    if u128::from(burst) * period_ns > units * MAX_REFILL_NS {
        return Err(SettingsError::SlowBurst { burst, rate });
    }
    Ok(())
}

fn check_cap(unit: Unit, cap: NonZeroU64) -> Result<(), SettingsError> {
    let (cap, least) = (cap.get(), unit.least());
    if cap > MAX_CAP {
        return Err(SettingsError::LargeCap(cap));
    }
    if cap < least {
        return Err(SettingsError::SmallCap { cap, least });
    }
    Ok(())
}

/// A year: who waits longer for a burst has none.
const MAX_REFILL_NS: u128 = 365 * Period::Day.nanos() as u128;

/// Services of a limit; at the limit it is refused.
const MAX_SERVICES: usize = 64;
