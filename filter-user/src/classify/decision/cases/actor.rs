//! Who comes in a case, and what he does.

use crate::classify::behaviour::distinct::hash;
use crate::classify::behaviour::seen::{Field, Request, Sni, Tls, What};
use crate::classify::decision::Action;
use crate::classify::family::Family;
use crate::classify::judgement::Class;
use filter_common::abi::client::ClientKey;
use serde::Deserialize;
use std::net::IpAddr;

/// Somebody with one program, or many of his kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Its name.
    pub name: String,
    /// Its first address.
    pub from: IpAddr,
    /// How many of its kind there are, each with the address that follows, of IPv6 the /64.
    #[serde(default = "one")]
    pub count: u32,
    /// Whether they all come from one address instead.
    #[serde(default)]
    pub one_address: bool,
    /// What it is seen to be.
    pub hello: Option<Hello>,
    /// How often each of them comes.
    pub every_seconds: u64,
    /// How much earlier or later, of that time.
    #[serde(default)]
    pub jitter_percent: u64,
    /// For how long.
    pub minutes: u64,
    /// What it does, one after another.
    pub visits: Vec<Visit>,
    /// The most that is to happen to any address of its.
    #[serde(default)]
    pub expect: Expected,
    /// The most that is to happen to its fingerprint.
    #[serde(default)]
    pub expect_fingerprint: Expected,
    /// When the first of that is to have happened.
    pub within_minutes: Option<u64>,
}

/// What a hello was judged to be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Its JA4.
    pub ja4: String,
    /// What sends it.
    pub class: Class,
    /// The browsers whose clothes it wears.
    pub family: Option<Family>,
}

/// What an actor does when it comes. Without a path it only shakes hands.
///
/// In paths, accounts and agents `{n}` counts the visits of all of them, `{i}` is which of
/// them it is, `{c}` one of a hundred, and `{r}` a number that hardly comes twice.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Visit {
    /// The name that a handshake asks for; none, if empty.
    pub sni: String,
    /// The method; if none is said, GET.
    pub method: String,
    /// The path.
    pub path: String,
    /// What is answered; of several, one by chance.
    pub statuses: Vec<u16>,
    /// The account.
    pub account: String,
    /// `User-Agent`; not logged, if empty.
    pub user_agent: String,
    /// `Accept-Language`; absent, if empty.
    pub accept_language: String,
}

/// What is to happen, or did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// Nothing.
    #[default]
    Nothing,
    /// It is noted.
    Watch,
    /// It gets the throttle limit.
    Limit,
    /// It is blocked.
    Block,
}

impl Expected {
    /// Its name in a file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Watch => "watch",
            Self::Limit => "limit",
            Self::Block => "block",
        }
    }
}

/// A visit with all that was left open filled in.
pub(super) struct Filled<'a> {
    visit: &'a Visit,
    path: String,
    account: String,
    agent: String,
    status: u16,
}

impl Actor {
    pub(super) fn tls(&self) -> Option<Tls<'_>> {
        let hello = self.hello.as_ref()?;
        Some(Tls { ja4: &hello.ja4, class: hello.class, family: hello.family, system: None })
    }

    pub(super) fn client(&self, index: u32) -> ClientKey {
        let index = if self.one_address { 0 } else { u128::from(index) };
        let bits = match self.from {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits().wrapping_add(index),
            IpAddr::V6(v6) => (v6.to_bits() >> 64).wrapping_add(index) << 64,
        };
        let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
        ClientKey { high: half(bits >> 64), low: half(bits) }
    }

    /// When one of them comes for the nth time, from the beginning of the case.
    pub(super) fn moment_ms(&self, index: u32, turn: u64) -> u64 {
        let every_ms = self.every_seconds * 1000;
        let first_ms = hash(0, (index, "first")) % every_ms.max(1);
        let jitter_ms = every_ms * self.jitter_percent / 100;
        if turn == 0 {
            return first_ms;
        }
        let off_ms = hash(0, (index, turn)) % (2 * jitter_ms + 1);
        (first_ms + turn * every_ms + off_ms).saturating_sub(jitter_ms)
    }
}

impl Visit {
    pub(super) fn fill(&self, n: usize, index: u32) -> Filled<'_> {
        let scattered = hash(1, (n, index));
        let fill = |text: &str| {
            let text = text.replace("{n}", &n.to_string()).replace("{i}", &index.to_string());
            let text = text.replace("{c}", &(scattered % 100).to_string());
            text.replace("{r}", &(scattered % 1_000_000_007).to_string())
        };
        let pick = usize::try_from(scattered >> 32).unwrap_or(0) % self.statuses.len().max(1);
        Filled {
            visit: self,
            path: fill(&self.path),
            account: fill(&self.account),
            agent: fill(&self.user_agent),
            status: self.statuses.get(pick).copied().unwrap_or(200),
        }
    }
}

impl Filled<'_> {
    pub(super) fn what(&self) -> What<'_> {
        let visit = self.visit;
        let said = |text| Some(text).filter(|text: &&str| !text.is_empty());
        let Some(path) = said(&self.path) else {
            return What::Handshake(said(&visit.sni).map_or(Sni::None, Sni::Name));
        };
        let agent = said(&self.agent);
        let language = said(&visit.accept_language).map_or(Field::Absent, Field::Is);
        What::Request(Request {
            method: said(&visit.method).unwrap_or("GET"),
            path,
            status: self.status,
            account: said(&self.account),
            user_agent: agent.map_or(Field::NotLogged, Field::Is),
            accept_language: if agent.is_some() { language } else { Field::NotLogged },
            client_hints: Field::NotLogged,
        })
    }
}

impl From<Action> for Expected {
    fn from(action: Action) -> Self {
        match action {
            Action::Watch => Self::Watch,
            Action::Limit => Self::Limit,
            Action::Block => Self::Block,
        }
    }
}

const fn one() -> u32 {
    1
}
