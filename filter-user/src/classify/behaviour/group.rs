//! All clients of a service with one fingerprint.

use super::count::Count;
use super::distinct::{Distinct, hash};
use super::profile::{Login, Profile};
use super::seen::Seen;
use crate::classify::judgement::Class;
use filter_common::abi::client::ClientKey;

/// What they do together.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// What they have done of late.
    pub profile: Profile,
    failing: Distinct,
    passing: Distinct,
    good: Distinct,
    browsers: Distinct,
    class: Option<Class>,
    first_ms: Option<u64>,
    failed: Option<(u32, u64)>,
}

impl Group {
    /// Takes in what one of them did.
    pub fn handle(&mut self, seen: &Seen<'_>, login: Option<Login>, secret: u64) {
        self.profile.handle(seen, login, hash(secret, seen.client), (secret, false));
        // One customer has a whole /48 of IPv6.
        let client = hash(secret, widest(seen.client));
        self.failing.age(seen.at_ms, HOUR_MS);
        self.passing.age(seen.at_ms, HOUR_MS);
        match login {
            Some(Login::Failed) => self.failing.insert(client),
            Some(Login::Passed) => self.passing.insert(client),
            None => (),
        }
        if let Some(failing) = self.failing_together() {
            self.failed = Some((failing, seen.at_ms));
        }
    }

    /// Takes in who they are. `is_good` says whether that client belongs here.
    pub fn meet(&mut self, seen: &Seen<'_>, is_good: bool, secret: u64) {
        let client = hash(secret, seen.client);
        self.good.age(seen.at_ms, WEEK_MS);
        self.browsers.age(seen.at_ms, WEEK_MS);
        if is_good {
            self.good.insert(client);
        }
        self.first_ms.get_or_insert(seen.at_ms);
        self.class = seen.tls.map(|tls| tls.class);
        if matches!(self.class, Some(Class::Browser | Class::Automation)) {
            self.browsers.insert(client);
        }
    }

    /// What its clients are: browsers, if any of them was one in the last weeks.
    #[must_use]
    pub fn class(&self) -> Class {
        let has_browsers = self.browsers.estimate() > 0;
        if has_browsers { Class::Browser } else { self.class.unwrap_or(Class::Unknown) }
    }

    /// How many clients there are.
    #[must_use]
    pub const fn clients(&self) -> u32 {
        self.profile.others.estimate()
    }

    /// For how long they have been watched.
    #[must_use]
    pub fn watched_ms(&self, now_ms: u64) -> u64 {
        self.first_ms.map_or(0, |first_ms| now_ms.saturating_sub(first_ms))
    }

    /// How many of them belong here, of the last one or two weeks.
    #[must_use]
    pub const fn good(&self) -> u32 {
        self.good.estimate()
    }

    /// How many clients fail to log in, where few get in. It goes by clients and not by
    /// attempts, or one good client that logs in often would hide them.
    #[must_use]
    pub fn failing_together(&self) -> Option<u32> {
        let (failing, passing) = (self.failing.estimate(), self.passing.estimate());
        let fails = self.profile.counts.of(Count::Failures) >= FAILURES;
        (fails && failing >= MEMBERS && failing >= 3 * passing).then_some(failing)
    }

    /// How many clients failed together within the last hour.
    #[must_use]
    pub fn failed_together(&self, now_ms: u64) -> Option<u32> {
        let (failing, at_ms) = self.failed?;
        (now_ms.saturating_sub(at_ms) < HOUR_MS).then_some(failing)
    }

    /// Forgets what was held against it, not who belongs here.
    pub fn spend(&mut self) {
        self.profile.spend();
        self.failing.clear();
        self.passing.clear();
    }
}

/// An IPv4 address, or the /48 around an IPv6 client.
const fn widest(client: ClientKey) -> ClientKey {
    if client.high == 0 {
        return client;
    }
    ClientKey { high: client.high & !0xffff, low: 0 }
}

const HOUR_MS: u64 = 3_600_000;
const WEEK_MS: u64 = 7 * 24 * HOUR_MS;

/// So many people mistype their passwords at once only where about as many don't.
const MEMBERS: u32 = 10;
const FAILURES: u32 = 40;
