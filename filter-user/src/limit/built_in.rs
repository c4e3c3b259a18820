//! The limits that there are if nobody says anything.

use super::key::LimitKey;
use super::per::RatePer;
use super::service::Service;
use super::settings::{Allowance, LimitAction, LimitSettings};
use super::unit::Unit;
use filter_common::abi::limit::THROTTLE_PROFILE;
use std::num::NonZeroU64;

/// The limit of clients with a throttle verdict. It is always there.
pub const THROTTLE: &str = "throttle";
/// The limit of each client's packets.
pub const PACKETS: &str = "packets";
/// The limit of each client's new connections.
pub const CONNECTIONS: &str = "connections";

/// Name, number and settings of each.
#[must_use]
pub fn all() -> [(&'static str, u32, LimitSettings); 3] {
    let any = || vec![Service::ANY];
    [
        (THROTTLE, THROTTLE_PROFILE, per_sec(Unit::Packets, (100, 200), Vec::new())),
        (PACKETS, 2, per_sec(Unit::Packets, (20_000, 40_000), any())),
        (CONNECTIONS, 3, per_sec(Unit::Connections, (100, 400), any())),
    ]
}

/// The number that a name has if it can.
#[must_use]
pub(super) fn number_of(name: &str) -> Option<u32> {
    all().into_iter().find(|(known, ..)| *known == name).map(|(_, number, _)| number)
}

fn per_sec(unit: Unit, (units, burst): (u64, u64), services: Vec<Service>) -> LimitSettings {
    let [units, burst] = [units, burst].map(|n| NonZeroU64::new(n).unwrap_or(NonZeroU64::MIN));
    LimitSettings {
        unit,
        allowance: Allowance::Rate { rate: RatePer::per_sec(units), burst },
        key: LimitKey::CLIENT,
        services,
        action: LimitAction::Drop,
        guard: false,
    }
}
