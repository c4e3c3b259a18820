//! Settings of every kind.

use crate::limit::{
    Allowance, LimitAction, LimitKey, LimitSettings, Period, Protocol, RatePer, Service, Unit,
    Window,
};
use filter_common::limit::quota::MAX_CAP;
use proptest::prelude::*;
use std::num::NonZeroU64;

/// A number that isn't zero.
pub(super) fn count(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap()
}

pub(super) fn unit() -> impl Strategy<Value = Unit> {
    prop::sample::select(Unit::ALL.to_vec())
}

pub(super) fn period() -> impl Strategy<Value = Period> {
    let all = [Period::Second, Period::Minute, Period::Hour, Period::Day];
    prop::sample::select(all.to_vec())
}

/// Few ports, so that services meet.
pub(super) fn service() -> impl Strategy<Value = Service> {
    let ports = [1, 2, 53, 80, 443, 444, 8000, 8100, u16::MAX];
    let port = prop::sample::select(ports.to_vec());
    let ranges = (any::<bool>(), port.clone(), port).prop_map(|(is_tcp, one, other)| Service {
        protocol: if is_tcp { Protocol::Tcp } else { Protocol::Udp },
        first: one.min(other),
        last: one.max(other),
    });
    let all = [Protocol::Any, Protocol::Tcp, Protocol::Udp, Protocol::Icmp].map(Service::all_of);
    prop_oneof![3 => ranges, 1 => prop::sample::select(all.to_vec())]
}

fn key() -> impl Strategy<Value = LimitKey> {
    let clients = (1_u8..=32, 1_u8..=64).prop_map(|(v4, v6)| LimitKey::Client { v4, v6 });
    prop_oneof![Just(LimitKey::CLIENT), clients, Just(LimitKey::Service)]
}

fn action() -> impl Strategy<Value = LimitAction> {
    let all = [LimitAction::Drop, LimitAction::Reset, LimitAction::Shadow, LimitAction::Off];
    prop::sample::select(all.to_vec())
}

fn allowance() -> impl Strategy<Value = Allowance> {
    let rates = (1_u64..=100_000_000, period(), 65_536_u64..1 << 33);
    let rates = rates.prop_map(|(units, period, burst)| Allowance::Rate {
        rate: RatePer { units: count(units), period },
        burst: count(burst),
    });
    let window = prop::sample::select(vec![Window::Hour, Window::Day]);
    let quotas = (65_536..=MAX_CAP, window)
        .prop_map(|(cap, window)| Allowance::Quota { cap: count(cap), window });
    prop_oneof![rates, quotas]
}

/// Settings that make sense.
pub(super) fn settings() -> impl Strategy<Value = LimitSettings> {
    let services = prop::collection::vec(service(), 0..4);
    let parts = (unit(), allowance(), key(), services, action(), any::<bool>());
    let settings = parts.prop_map(|(unit, allowance, key, services, action, guard)| {
        LimitSettings { unit, allowance, key, services, action, guard }
    });
    settings.prop_filter("they make sense", |settings| settings.check().is_ok())
}
