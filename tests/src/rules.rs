//! Rule sets in which each source of the corpus plays its part.

use crate::frame::source::{
    ALLOWED, BLOCKED, CONVICTED, HALF_LISTED, LISTED, NEIGHBOUR, RELEASED, SHADOWED, Source,
    THROTTLED,
};
use filter_common::abi::Mode;
use filter_common::abi::address::ListId;
use filter_common::abi::client::ClientVerdict;
use filter_common::abi::config::HostConfig;
use filter_common::abi::hello::Cause;
use filter_common::abi::limit::ListLimit;
use filter_common::abi::quic::DatagramBudget;
use filter_common::abi::rule::{Rule, RuleKey};
use filter_common::abi::width::{VerdictKey, Width};
use filter_common::gcra::Rate;
use filter_user::clock::Now;
use filter_user::limit::{LimitAction, LimitBook, LimitSettings, Origin, built_in};
use filter_user::policy::entries::Entries;
use filter_user::policy::image::{Full, HostMemory, Image};
use filter_user::policy::list::{List, ListAction, ListSettings};
use filter_user::policy::note::Note;
use filter_user::policy::{ALLOW_LIST, AddressPolicy, BLOCK_LIST};
use filter_user::rule::{HelloRule, Pattern, Placed, Target};
use filter_user::verdict::{address_of, client_of};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What a filter is told.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The host's settings.
    pub config: HostConfig,
    /// The lists.
    pub policy: AddressPolicy,
    /// Limits.
    pub limits: LimitBook,
    /// Clients and prefixes, and their verdicts.
    pub verdicts: Vec<(VerdictKey, ClientVerdict)>,
    /// Rules on hellos.
    pub hellos: BTreeMap<RuleKey, Rule>,
    /// How many QUIC datagrams are copied.
    pub budget: DatagramBudget,
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

    /// What lists limit their clients to.
    #[must_use]
    pub fn list_limits(&self) -> Vec<(ListId, ListLimit)> {
        let lists = self.policy.lists().values().filter_map(|list| match &list.settings.action {
            ListAction::Limit(name) => Some((list.id, self.limits.list_limit(name).ok()?)),
            _ => None,
        });
        lists.collect()
    }

    /// Puts a limit in force.
    ///
    /// # Panics
    ///
    /// It can't be.
    pub fn limit(&mut self, name: &str, toml: &str) {
        let settings: LimitSettings = toml::from_str(toml).expect("settings of a limit");
        let put = self.limits.put(name, settings, Origin::Operator, None);
        put.expect("a limit that fits in");
    }
}

const IMAGE_LINES: u32 = 1 << 20;

/// No rule, and every rule enforced that there would be.
#[must_use]
pub fn nothing() -> Rules {
    let config = HostConfig {
        mode: HostConfig::ENFORCE,
        secret: SECRET,
        limit_secrets: [SECRET, !SECRET],
        ..HostConfig::default()
    };
    Rules { config, ..Rules::default() }
}

const SECRET: u64 = 0x0123_4567_89ab_cdef;

/// Lists and verdicts, so that each source gets what its name says.
#[must_use]
pub fn lists() -> Rules {
    let mut rules = Rules { policy: policy(), verdicts: verdicts(), ..nothing() };
    rules.limit("few", &few("packets", 12, ""));
    rules
}

/// [`lists`] and limits.
#[must_use]
pub fn everything() -> Rules {
    let mut rules = lists();
    let [packets, connections, throttle] = AT_ONCE;
    rules.limit(built_in::PACKETS, &few("packets", packets, "services = ['any']"));
    rules.limit(built_in::CONNECTIONS, &few("connections", connections, "services = ['any']"));
    rules.limit(built_in::THROTTLE, &few("packets", throttle, ""));
    rules
}

/// Limits of the other kinds, each for a service of its own, and of prefixes wide enough
/// that the corpus goes over them.
#[must_use]
pub fn further() -> Rules {
    let mut rules = nothing();
    let wide = "key = 'client/8/16'";
    let bytes =
        format!("unit = 'bytes'\nrate = '200/h'\nburst = '64KiB'\n{wide}\nservices = ['tcp']");
    rules.limit("bytes", &bytes);
    let reset = "services = ['tcp/443']\naction = 'reset'";
    rules.limit("handshakes", &few("handshakes", 1, reset));
    let quota = format!("unit = 'packets'\nquota = '3/day'\n{wide}\nservices = ['icmp']");
    rules.limit("quota", &quota);
    let together = "key = 'service'\nservices = ['udp/53', 'udp/1000-6000']";
    rules.limit("together", &few("packets", 8, together));
    rules
}

/// A rule on hellos that can't be read, as those of the corpus are.
#[must_use]
pub fn hellos() -> Rules {
    let pattern = Pattern { target: Target::Cause(Cause::MALFORMED), port: None };
    let mut rules = nothing();
    let placed = Placed { number: 0, profile: 0, expires_ns: u64::MAX };
    if let Some(key) = pattern.key(rules.config.secret) {
        rules.config.rule_kinds = RuleKey::bit(key.kind);
        rules.hellos.insert(key, HelloRule::default().to_kernel(&placed));
    }
    rules
}

/// QUIC services, and a budget for so many datagrams of all and of a share.
#[must_use]
pub fn quic([all, share]: [u64; 2]) -> Rules {
    let mut rules = nothing();
    rules.config.quic_ports = [443, 8443, 0, 0];
    let few = |at_once| Rate::new(1, 3_600_000_000_000, at_once, Rate::FINE);
    rules.budget.all_rate = few(all);
    rules.budget.share_rate = few(share);
    rules
}

/// The list whose clients are limited.
pub const LIMITED: ListId = ListId(8);
/// The one that would limit its clients.
pub const HALF_LIMITED: ListId = ListId(9);

/// How many packets, connections and packets of a throttled client [`everything`] lets
/// through at once.
pub const AT_ONCE: [u64; 3] = [25, 1, 5];

/// [`everything`], and nothing of it acts, because the host only monitors.
#[must_use]
pub fn monitored() -> Rules {
    let mut rules = everything();
    rules.config.mode = HostConfig::MONITOR;
    rules
}

/// [`everything`], and nothing of it acts, because each rule is in shadow.
///
/// # Panics
///
/// It doesn't.
#[must_use]
pub fn shadowed() -> Rules {
    let mut rules = everything();
    for (name, limit) in rules.limits.clone().profiles() {
        let settings = LimitSettings { action: LimitAction::Shadow, ..limit.settings.clone() };
        rules.limits.put(name, settings, limit.origin, None).expect("it fitted in before");
    }
    let blocks = rules.policy.lists_mut().filter(|(name, _)| *name != ALLOW_LIST);
    blocks.for_each(|(_, list)| list.settings.mode = Mode::SHADOW);
    rules.verdicts.iter_mut().for_each(|(_, verdict)| verdict.mode = Mode::SHADOW.0);
    rules
}

/// So many at once, and then one an hour: no clock is so wrong that it mattered.
fn few(unit: &str, burst: u64, more: &str) -> String {
    format!("unit = '{unit}'\nrate = '1/h'\nburst = {burst}\n{more}")
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
