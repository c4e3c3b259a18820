//! Profiles for tests.

use super::profile::{Login, Profile};
use super::seen::{Request, Seen, Sni, Tls, What};
use super::signals::{Look, SIGNALS};
use crate::classify::family::Family;
use crate::classify::judgement::Class;
use filter_common::abi::client::ClientKey;

pub(super) const CHROMIUM: Tls<'_> =
    Tls { ja4: "chromium", class: Class::Browser, family: Some(Family::Chromium), system: None };
pub(super) const CURL: Tls<'_> =
    Tls { ja4: "curl", class: Class::Library, family: None, system: None };

/// A client, and the moment at which it does the next thing.
pub(super) struct Client {
    pub(super) profile: Profile,
    pub(super) tls: Tls<'static>,
    pub(super) now_ms: u64,
}

impl Client {
    pub(super) fn new(tls: Tls<'static>) -> Self {
        Self { profile: Profile::default(), tls, now_ms: 1_000 }
    }

    pub(super) fn asks(&mut self, request: Request<'_>, login: Option<Login>) {
        self.does(What::Request(request), login, 0);
    }

    pub(super) fn shakes(&mut self, sni: Sni<'_>, other: u64) {
        self.does(What::Handshake(sni), None, other);
    }

    fn does(&mut self, what: What<'_>, login: Option<Login>, other: u64) {
        let client = ClientKey { high: 0, low: 0xffff_c000_0201 };
        let seen = Seen { client, service: "", tls: Some(self.tls), at_ms: self.now_ms, what };
        self.profile.handle(&seen, login, super::distinct::hash(7, other), (7, true));
    }

    pub(super) fn look(&self) -> Look<'_> {
        let (profile, class) = (&self.profile, self.tls.class);
        Look { profile, class, has_log: true, failing_together: None, is_shared: false }
    }

    pub(super) fn fired(&self) -> Vec<&'static str> {
        fired(&self.look())
    }
}

pub(super) fn fired(look: &Look<'_>) -> Vec<&'static str> {
    let fired = SIGNALS.iter().filter(|signal| (signal.look)(look).is_some());
    fired.map(|signal| signal.name).collect()
}
