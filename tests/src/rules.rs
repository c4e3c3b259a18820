//! Rule sets in which each source of the corpus plays its part.

use crate::frame::source::{ALLOWED, BLOCKED, CONVICTED, RELEASED, SHADOWED, THROTTLED};
use filter_common::abi::Mode;
use filter_common::abi::address::AddressClass;
use filter_common::abi::client::{ClientKey, ClientVerdict, Meter};
use filter_common::abi::config::HostConfig;
use filter_common::gcra::Limit;
use filter_common::wire::address::Address;
use filter_user::clock::Now;
use ipnet::IpNet;
use std::net::IpAddr;

/// What a filter is told.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The host's settings.
    pub config: HostConfig,
    /// Prefixes and their classes.
    pub policy: Vec<(IpNet, AddressClass)>,
    /// Clients and their verdicts.
    pub verdicts: Vec<(ClientKey, ClientVerdict)>,
}

/// No rule, and every rule enforced that there would be.
#[must_use]
pub fn nothing() -> Rules {
    let config = HostConfig { mode: HostConfig::ENFORCE, secret: SECRET, ..HostConfig::default() };
    Rules { config, ..Rules::default() }
}

const SECRET: u64 = 0x0123_4567_89ab_cdef;

/// Lists and verdicts, so that each source gets what its name says.
#[must_use]
pub fn lists() -> Rules {
    Rules { policy: policy(), verdicts: verdicts(), ..nothing() }
}

/// [`lists`] and limits.
#[must_use]
pub fn everything() -> Rules {
    let mut rules = lists();
    rules.config.limits = AT_ONCE.map(few);
    rules
}

/// How many packets, connections and packets of a throttled client [`everything`] lets
/// through at once.
pub const AT_ONCE: [u64; Meter::COUNT] = [25, 1, 5];

/// [`everything`], and nothing of it acts, because the host only monitors.
#[must_use]
pub fn monitored() -> Rules {
    let mut rules = everything();
    rules.config.mode = HostConfig::MONITOR;
    rules
}

/// [`everything`], and nothing of it acts, because each rule is in shadow.
#[must_use]
pub fn shadowed() -> Rules {
    let mut rules = everything();
    let limits = rules.config.limits.iter_mut();
    limits.for_each(|limit| limit.mode = u32::from(Mode::SHADOW.0));
    let blocks = rules.policy.iter_mut().filter(|(_, class)| class.action == AddressClass::BLOCK);
    blocks.for_each(|(_, class)| class.mode = Mode::SHADOW.0);
    rules.verdicts.iter_mut().for_each(|(_, verdict)| verdict.mode = Mode::SHADOW.0);
    rules
}

/// So many at once, and then one an hour: no clock is so wrong that it mattered.
fn few(burst: u64) -> Limit {
    let interval_ns = 3_600_000_000_000;
    Limit { interval_ns, tolerance_ns: interval_ns * (burst - 1), ..Limit::default() }
}

fn policy() -> Vec<(IpNet, AddressClass)> {
    let rows = [
        (BLOCKED, AddressClass::BLOCK, Mode::ENFORCE),
        (ALLOWED, AddressClass::ALLOW, Mode::ENFORCE),
        (SHADOWED, AddressClass::BLOCK, Mode::SHADOW),
    ];
    let class = |action, mode: Mode, list| AddressClass { action, mode: mode.0, list };
    let blocked_around = class(AddressClass::BLOCK, Mode::ENFORCE, 8);
    let mut policy = Vec::new();
    for (sources, action, mode) in rows {
        let prefixes = sources.map(|source| IpNet::from(source.address));
        policy.extend(prefixes.map(|prefix| (prefix, class(action, mode, 7))));
    }
    let around = ALLOWED.map(|source| IpNet::from(source.address).supernet());
    policy.extend(around.into_iter().flatten().map(|prefix| (prefix, blocked_around)));
    policy
}

fn verdicts() -> Vec<(ClientKey, ClientVerdict)> {
    let now_ns = Now::read().ktime_ns;
    let rows = [
        (CONVICTED, ClientVerdict::BLOCK, now_ns + HOUR_NS),
        (RELEASED, ClientVerdict::BLOCK, now_ns),
        (THROTTLED, ClientVerdict::THROTTLE, now_ns + HOUR_NS),
    ];
    rows.into_iter()
        .flat_map(|(sources, action, expires_ns)| {
            let verdict = ClientVerdict { expires_ns, action, ..ClientVerdict::default() };
            sources.map(|source| (client(source.address), verdict))
        })
        .collect()
}

const HOUR_NS: u64 = 3_600_000_000_000;

/// The client that an address belongs to.
#[must_use]
pub fn client(address: IpAddr) -> ClientKey {
    let bits = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    };
    let half = |shift: u32| u64::try_from(bits >> shift & u128::from(u64::MAX)).unwrap_or(0);
    Address { high: half(64), low: half(0) }.client()
}
