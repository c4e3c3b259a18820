//! Rule sets in which each source of the corpus plays its part.

use crate::frame::source::{
    ALLOWED, BLOCKED, CONVICTED, HALF_LISTED, LISTED, NEIGHBOUR, RELEASED, SHADOWED, Source,
    THROTTLED,
};
use filter_common::abi::Mode;
use filter_common::abi::address::ListId;
use filter_common::abi::client::{ClientVerdict, Meter};
use filter_common::abi::config::HostConfig;
use filter_common::abi::width::{VerdictKey, Width};
use filter_common::gcra::Limit;
use filter_user::clock::Now;
use filter_user::policy::entries::Entries;
use filter_user::policy::image::{Full, HostMemory, Image};
use filter_user::policy::list::{List, ListAction, ListSettings};
use filter_user::policy::note::Note;
use filter_user::policy::{ALLOW_LIST, AddressPolicy, BLOCK_LIST};
use filter_user::verdict::{address_of, client_of};
use ipnet::IpNet;
use std::net::IpAddr;

/// What a filter is told.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The host's settings.
    pub config: HostConfig,
    /// The lists.
    pub policy: AddressPolicy,
    /// Clients and prefixes, and their verdicts.
    pub verdicts: Vec<(VerdictKey, ClientVerdict)>,
}

impl Rules {
    /// The lists, compiled.
    ///
    /// # Errors
    ///
    /// They are too large.
    pub fn image(&self) -> Result<Image<HostMemory>, Full> {
        Image::build(HostMemory::new(IMAGE_LINES), &mut self.policy.compiler(0), 0)
    }
}

const IMAGE_LINES: u32 = 1 << 20;

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

/// The list whose clients are limited.
pub const LIMITED: ListId = ListId(8);
/// The one that would limit its clients.
pub const HALF_LIMITED: ListId = ListId(9);

/// The limit of both.
#[must_use]
pub fn list_limit() -> Limit {
    few(12)
}

/// How many packets, connections and packets of a throttled client [`everything`] lets
/// through at once.
pub const AT_ONCE: [u64; Meter::HOST_COUNT] = [25, 1, 5];

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
    let blocks = rules.policy.lists_mut().filter(|(name, _)| *name != ALLOW_LIST);
    blocks.for_each(|(_, list)| list.settings.mode = Mode::SHADOW);
    rules.verdicts.iter_mut().for_each(|(_, verdict)| verdict.mode = Mode::SHADOW.0);
    rules
}

/// So many at once, and then one an hour: no clock is so wrong that it mattered.
fn few(burst: u64) -> Limit {
    let interval_ns = 3_600_000_000_000;
    Limit { interval_ns, tolerance_ns: interval_ns * (burst - 1), ..Limit::default() }
}

fn policy() -> AddressPolicy {
    let mut policy = AddressPolicy::default();
    let list = |id, action, mode| {
        let settings = ListSettings { action, mode, priority: 0 };
        List { id, settings, entries: Entries::default() }
    };
    let limit = || ListAction::Limit("few".into());
    policy.put("shadow", list(ListId(7), ListAction::Block, Mode::SHADOW));
    policy.put("limit", list(LIMITED, limit(), Mode::ENFORCE));
    policy.put("half limit", list(HALF_LIMITED, limit(), Mode::SHADOW));
    let around = ALLOWED.map(|source| IpNet::from(source.address).supernet());
    let of = |sources: [Source; 2]| sources.map(|source| Some(IpNet::from(source.address)));
    let rows = [
        (BLOCK_LIST, of(BLOCKED)),
        (BLOCK_LIST, around),
        (ALLOW_LIST, of(ALLOWED)),
        ("shadow", of(SHADOWED)),
        ("limit", of(LISTED)),
        ("half limit", of(HALF_LISTED)),
    ];
    for (name, prefixes) in rows {
        for prefix in prefixes.into_iter().flatten() {
            let list = policy.list_mut(name).map(|list| &mut list.entries);
            list.map(|entries| entries.insert(&prefix.trunc(), Note::default()));
        }
    }
    policy
}

fn verdicts() -> Vec<(VerdictKey, ClientVerdict)> {
    let now_ns = Now::read().ktime_ns;
    let rows = [
        (CONVICTED, ClientVerdict::BLOCK, now_ns + HOUR_NS),
        (RELEASED, ClientVerdict::BLOCK, now_ns),
        (THROTTLED, ClientVerdict::THROTTLE, now_ns + HOUR_NS),
    ];
    let of = |action, expires_ns| ClientVerdict { expires_ns, action, ..ClientVerdict::default() };
    let clients = rows.into_iter().flat_map(|(sources, action, expires_ns)| {
        sources.map(|source| (client(source.address), of(action, expires_ns)))
    });
    let [v4, v6] = NEIGHBOUR.map(|source| address_of(source.address));
    // A throttle of the client itself, one that has ended, and a wide block.
    let around = [
        (Width::HOST.key(&v4), of(ClientVerdict::THROTTLE, now_ns + HOUR_NS)),
        (Width::V4_24.key(&v4), of(ClientVerdict::BLOCK, now_ns + HOUR_NS)),
        (Width::HOST.key(&v6), of(ClientVerdict::THROTTLE, now_ns + HOUR_NS)),
        (Width::V6_64.key(&v6), of(ClientVerdict::BLOCK, now_ns)),
        (Width::V6_48.key(&v6), of(ClientVerdict::BLOCK, now_ns + HOUR_NS)),
    ];
    clients.chain(around).collect()
}

const HOUR_NS: u64 = 3_600_000_000_000;

/// What a verdict on the client of an address is about.
#[must_use]
pub fn client(address: IpAddr) -> VerdictKey {
    client_of(address).into()
}
