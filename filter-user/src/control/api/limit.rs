//! Limit profiles, and who uses them most.

use super::Traffic;
use crate::limit::{LimitAction, LimitKey, Origin, QuotaPer, RatePer, Service, Unit};
use serde::{Deserialize, Serialize};

/// Makes a limit profile or changes one; what isn't said stays. A new one needs a unit, and
/// a rate or a quota.
pub use crate::limit::Written as SetLimit;

/// A limit profile with what was counted of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LimitInfo {
    /// Its name.
    pub name: String,
    /// Its number in the kernel.
    pub number: u32,
    /// What is counted.
    pub unit: Unit,
    /// How fast, such as `100/s`; nothing if it is a quota.
    pub rate: Option<RatePer>,
    /// How many units may come at once; nothing if it is a quota.
    pub burst: Option<u64>,
    /// How much in which window, such as `10GB/day`; nothing if it is a rate.
    pub quota: Option<QuotaPer>,
    /// Who is counted.
    pub key: LimitKey,
    /// Which packets it is for. None: those of clients that something names it for.
    pub services: Vec<Service>,
    /// What happens beyond.
    pub action: LimitAction,
    /// Whether clients that proved themselves pass first when it is over.
    pub guard: bool,
    /// Who made it.
    pub origin: Origin,
    /// Lists that name it.
    pub lists: Vec<String>,
    /// The rules on `ClientHello`s that name it.
    pub rules: Vec<String>,
    /// Traffic that was charged.
    pub passed: Traffic,
    /// Traffic that was refused.
    pub refused: Traffic,
    /// Traffic that would have been, were the profile or the host enforcing.
    pub would_refuse: Traffic,
    /// Packets that passed because their client had proved itself; among those that passed.
    pub preferred: u64,
    /// Packets that passed uncharged: there was no room for their key.
    pub untracked: u64,
    /// Refused packets whose key found no place among those that events tell of.
    pub unlisted: u64,
    /// Since when it is over its threshold, in milliseconds since 1970, if it is.
    pub guard_since_unix_ms: Option<u64>,
}

/// A key and what it uses of a limit profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TopEntry {
    /// The profile.
    pub profile: String,
    /// The client's prefix, or `all of it` for a service.
    pub key: String,
    /// Units in use.
    pub used: u64,
    /// The burst or cap that they are in use of.
    pub of: u64,
    /// The part of it that is in use, in percent.
    pub percent: u32,
    /// Seconds until a quota starts again.
    pub resets_in_s: Option<u64>,
}
