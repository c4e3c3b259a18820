//! The last hellos of an address.

use super::Hello;
use crate::fingerprint::{Cause, Ja4};
use std::num::NonZeroU16;

/// How long after its hello a connection may still bring requests, in a log that doesn't name it:
/// what servers wait for the next request by default.
pub(super) const WINDOW_MS: u64 = 75_000;

/// Kinds of hellos that are remembered of an address. One more takes the place of the kind that
/// was last heard of longest ago: two are enough to say that there are several.
const KINDS: usize = 4;

/// What an address said lately.
#[derive(Debug)]
pub(super) struct Client {
    kinds: Vec<Kind>,
}

/// Hellos that look alike, to one port.
#[derive(Debug)]
struct Kind {
    first_unix_ms: u64,
    last: Hello,
}

/// Hellos of several kinds came in the time that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Several;

type Looks = (Result<Ja4, Cause>, u16);

fn looks(hello: &Hello) -> Looks {
    (hello.fingerprint, hello.server.port())
}

impl Client {
    /// An address that has said one hello.
    pub(super) fn of(hello: Hello) -> Self {
        Self { kinds: vec![Kind { first_unix_ms: hello.time_unix_ms, last: hello }] }
    }

    /// Takes in another one.
    pub(super) fn handle_hello(&mut self, hello: Hello) {
        let time = hello.time_unix_ms;
        let alike = |kind: &Kind| looks(&kind.last) == looks(&hello);
        if let Some(kind) = self.kinds.iter_mut().find(|kind| alike(kind)) {
            // After a pause the span begins anew, or it would hold a time without hellos.
            if time.saturating_sub(kind.last.time_unix_ms) > WINDOW_MS {
                kind.first_unix_ms = time;
            }
            kind.last = hello;
            return;
        }
        if self.kinds.len() >= KINDS {
            let oldest =
                self.kinds.iter().enumerate().min_by_key(|(_, kind)| kind.last.time_unix_ms);
            let oldest = oldest.map_or(0, |(at, _)| at);
            self.kinds.swap_remove(oldest);
        }
        self.kinds.push(Kind { first_unix_ms: time, last: hello });
    }

    /// The hello of a span of time, to one of these ports, if all of it look alike.
    ///
    /// *Errors*: [`Several`] if they don't.
    pub(super) fn only_one(
        &self,
        ports: &[NonZeroU16],
        from_unix_ms: u64,
        until_unix_ms: u64,
    ) -> Result<Option<Hello>, Several> {
        let mut fitting = self.kinds.iter().filter(|kind| {
            let port = kind.last.server.port();
            kind.first_unix_ms <= until_unix_ms
                && kind.last.time_unix_ms >= from_unix_ms
                && ports.iter().any(|service| service.get() == port)
        });
        let one = fitting.next().map(|kind| kind.last);
        if fitting.next().is_some() { Err(Several) } else { Ok(one) }
    }
}
