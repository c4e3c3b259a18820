//! The hellos of an address.

use super::{Hello, REST_MS, Several, TOLERANCE_MS};
use crate::fingerprint::{Cause, Ja4};
use std::num::NonZeroU16;

/// Kinds of hellos that are remembered of an address. One more takes the place of the kind that
/// was used longest ago, and nobody knows whose a request is until that kind's have ended.
const KINDS: usize = 4;

/// What an address said, as long as connections of it may go on.
#[derive(Debug)]
pub(super) struct Client {
    kinds: Vec<Kind>,
    /// Until when requests may be of hellos that aren't known.
    unknown_until_unix_ms: u64,
}

/// Hellos that look alike, to one port.
#[derive(Debug)]
struct Kind {
    first_unix_ms: u64,
    /// When the last hello came, or the last request that may be of such a hello.
    used_unix_ms: u64,
    last: Hello,
}

type Looks = (Result<Ja4, Cause>, u16);

fn looks(hello: &Hello) -> Looks {
    (hello.fingerprint, hello.server.port())
}

impl Kind {
    /// Until when a connection of it may rest.
    const fn until_unix_ms(&self) -> u64 {
        self.used_unix_ms.saturating_add(REST_MS)
    }

    fn may_own(&self, ports: &[NonZeroU16], time_unix_ms: u64) -> bool {
        let port = self.last.server.port();
        self.first_unix_ms <= time_unix_ms.saturating_add(TOLERANCE_MS)
            && time_unix_ms <= self.until_unix_ms()
            && ports.iter().any(|service| service.get() == port)
    }
}

impl Client {
    /// An address, whose requests until then may be of hellos that were forgotten.
    pub(super) const fn new(unknown_until_unix_ms: u64) -> Self {
        Self { kinds: Vec::new(), unknown_until_unix_ms }
    }

    /// Until when requests may be of anything that it said.
    pub(super) fn until_unix_ms(&self) -> u64 {
        let kinds = self.kinds.iter().map(Kind::until_unix_ms);
        kinds.fold(self.unknown_until_unix_ms, u64::max)
    }

    /// Takes in a hello.
    pub(super) fn handle_hello(&mut self, hello: Hello) {
        let time = hello.time_unix_ms;
        self.forget(|kind| kind.until_unix_ms() < time);
        if let Some(kind) = self.kinds.iter_mut().find(|kind| looks(&kind.last) == looks(&hello)) {
            kind.used_unix_ms = kind.used_unix_ms.max(time);
            kind.last = hello;
            return;
        }
        if self.kinds.len() >= KINDS {
            let oldest = self.kinds.iter().map(Kind::until_unix_ms).min();
            self.forget(|kind| Some(kind.until_unix_ms()) == oldest);
        }
        self.kinds.push(Kind { first_unix_ms: time, used_unix_ms: time, last: hello });
    }

    /// A hello came of which nothing is known.
    pub(super) fn handle_unknown(&mut self, time_unix_ms: u64) {
        let until = time_unix_ms.saturating_add(REST_MS);
        self.unknown_until_unix_ms = self.unknown_until_unix_ms.max(until);
    }

    /// The hello of a request to one of these ports, if all that it may be of look alike. Each of
    /// them counts as used: its connection isn't at rest, if the request was its own.
    ///
    /// *Errors*: [`Several`] if they don't, or if some aren't known.
    pub(super) fn handle_request(
        &mut self,
        ports: &[NonZeroU16],
        time_unix_ms: u64,
    ) -> Result<Option<Hello>, Several> {
        let mut found = Ok(None);
        for kind in self.kinds.iter_mut().filter(|kind| kind.may_own(ports, time_unix_ms)) {
            kind.used_unix_ms = kind.used_unix_ms.max(time_unix_ms);
            found = if found == Ok(None) { Ok(Some(kind.last)) } else { Err(Several) };
        }
        if time_unix_ms <= self.unknown_until_unix_ms {
            self.handle_unknown(time_unix_ms);
            return Err(Several);
        }
        found
    }

    fn forget(&mut self, over: impl Fn(&Kind) -> bool) {
        let gone = self.kinds.extract_if(.., |kind| over(kind)).map(|kind| kind.until_unix_ms());
        self.unknown_until_unix_ms = gone.fold(self.unknown_until_unix_ms, u64::max);
    }
}
