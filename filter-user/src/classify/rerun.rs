//! The detector over what was recorded, in virtual time: `palisade replay`.

use super::decision::judge::Judge;
use super::decision::policy::Policy;
use super::decision::{Action, Decision};
use super::detector::Detector;
use super::judgement::Judgement;
use crate::access_log::Request;
use crate::access_log::join::{Hello, Join};
use crate::fingerprint::Outcome;
use crate::verdict::client_of;
use filter_common::abi::client::ClientKey;
use std::collections::BTreeMap;
use std::num::NonZeroU16;

/// The detector, and what came of what was recorded.
///
/// *Units*: milliseconds since 1970. *Shape*: beside what the detector keeps, a judgement for
/// each client that has said a hello.
#[derive(Debug)]
pub struct Rerun {
    detector: Detector,
    join: Join,
    port: u16,
    takes_unproven: bool,
    now_ms: u64,
    clients: BTreeMap<ClientKey, Judgement>,
    tally: Tally,
}

/// How much there was of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Hellos over TCP.
    pub hellos: u64,
    /// Those that have no fingerprint.
    pub unfingerprintable: u64,
    /// Those whose sender isn't proven.
    pub unproven: u64,
    /// Hellos by the server's port.
    pub ports: BTreeMap<u16, u64>,
    /// Requests.
    pub requests: u64,
    /// Those whose hello was found.
    pub joined: u64,
    /// Those that are more than a minute older than what came before them.
    pub late: u64,
    /// Decisions that only count.
    pub shadow: u64,
    /// Decisions by what happens.
    pub decisions: BTreeMap<Action, u64>,
}

/// How much later than its time a line counts as written: logs of whole seconds say up to a
/// second less, and a line doesn't come before its hello.
const WRITTEN_MS: u64 = 1000;

/// What is older than this compared with what came before it isn't in order.
const LATE_MS: u64 = 60_000;

/// The same recording has the same end each time.
const SECRET: u64 = 0x5eed;

impl Rerun {
    /// One that has seen nothing. Requests are those of a server at these ports; decisions about
    /// requests without a hello are about the first.
    ///
    /// `takes_unproven`: whether hellos count whose sender isn't proven.
    #[must_use]
    pub fn new(policy: Policy, ports: &[NonZeroU16], takes_unproven: bool) -> Self {
        Self {
            detector: Detector::new(Judge::new(policy, SECRET)),
            join: Join::new(vec![ports.to_vec()]),
            port: ports.first().map_or(0, |port| port.get()),
            takes_unproven,
            now_ms: 0,
            clients: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    /// Takes in hellos, with the moments in nanoseconds at which they are known, and requests, as
    /// they were in time, and tells each decision as it is made.
    ///
    /// Both are taken in their own order; their times say how they lie between one another.
    ///
    /// *Errors*: those of `tell`, which end it.
    pub fn run<E>(
        &mut self,
        hellos: impl Iterator<Item = (u64, Outcome)>,
        requests: impl Iterator<Item = Request>,
        mut tell: impl FnMut(Decision) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut hellos, mut requests) = (hellos.peekable(), requests.peekable());
        loop {
            let said_ms = hellos.peek().map(|(time_ns, _)| time_ns / 1_000_000);
            let comes_first = |request: &Request| said_ms.is_none_or(|ms| written_ms(request) < ms);
            let decisions = if let Some(request) = requests.next_if(comes_first) {
                self.handle_request(request)
            } else if let (Some((_, outcome)), Some(said_ms)) = (hellos.next(), said_ms) {
                self.handle_hello(&outcome, said_ms)
            } else {
                return Ok(());
            };
            self.tell(decisions, &mut tell)?;
        }
    }

    /// How much there was of what.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What is held of each client that has said a hello.
    pub fn clients(&self) -> impl Iterator<Item = (ClientKey, Judgement)> {
        self.clients.iter().map(|(client, changed)| {
            let last = self.detector.judge(client, self.now_ms);
            (*client, last.unwrap_or_else(|| changed.clone()))
        })
    }

    fn handle_hello(&mut self, outcome: &Outcome, said_ms: u64) -> Vec<Decision> {
        self.now_ms = self.now_ms.max(said_ms);
        self.tally.count(outcome);
        let (client, server) = (outcome.flow.source, outcome.flow.destination);
        let came_ms = outcome.time_ns / 1_000_000;
        if !outcome.proven && !self.takes_unproven {
            self.join.handle_unproven(client, server, came_ms);
            return Vec::new();
        }
        self.join.handle_hello(Hello::of(outcome, came_ms));
        let found = self.detector.handle_hello(outcome, self.now_ms);
        if let Some(judgement) = found.changed {
            self.clients.insert(client_of(client.ip()), judgement);
        }
        found.decisions
    }

    fn handle_request(&mut self, request: Request) -> Vec<Decision> {
        self.now_ms = self.now_ms.max(written_ms(&request));
        self.tally.requests += 1;
        self.tally.late += u64::from(request.time_unix_ms.saturating_add(LATE_MS) < self.now_ms);
        let joined = self.join.handle_request(0, request);
        self.tally.joined += u64::from(joined.hello.is_some());
        self.detector.handle_request(&joined, self.port, self.now_ms)
    }

    fn tell<E>(
        &mut self,
        decisions: Vec<Decision>,
        tell: &mut impl FnMut(Decision) -> Result<(), E>,
    ) -> Result<(), E> {
        for decision in decisions {
            self.tally.shadow += u64::from(decision.shadow);
            *self.tally.decisions.entry(decision.action).or_default() += 1;
            tell(decision)?;
        }
        Ok(())
    }
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        self.hellos += 1;
        self.unfingerprintable += u64::from(outcome.result.is_err());
        self.unproven += u64::from(!outcome.proven);
        *self.ports.entry(outcome.flow.destination.port()).or_default() += 1;
    }
}

/// When a request's line counts as written.
const fn written_ms(request: &Request) -> u64 {
    request.time_unix_ms.saturating_add(WRITTEN_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_log::Format;
    use std::convert::Infallible;

    fn request(second: u32, user: u32) -> Request {
        let line = format!(
            "192.0.2.7 - u{user} [14/Nov/2023:22:{:02}:{:02} +0000] \"POST /login HTTP/1.1\" 401 5 \
             \"-\" \"-\"",
            second / 60,
            second % 60
        );
        Format::Combined.parse(line.as_bytes(), 0).unwrap()
    }

    fn rerun(requests: impl IntoIterator<Item = Request>) -> (Rerun, Vec<Decision>) {
        let mut rerun = Rerun::new(Policy::default(), &[], false);
        let mut decisions = Vec::new();
        let end = rerun.run(std::iter::empty(), requests.into_iter(), |decision| {
            decisions.push(decision);
            Ok::<_, Infallible>(())
        });
        end.unwrap();
        (rerun, decisions)
    }

    #[test]
    fn each_request_is_judged_at_its_own_time() {
        let (rerun, decisions) = rerun((0..12).map(|n| request(n * 100, n)));
        let first = &decisions[0];
        assert_eq!(first.at_ms % 100_000, request(0, 0).time_unix_ms % 100_000, "{first:?}");
        assert_eq!((rerun.tally().requests, rerun.tally().late), (12, 0));
        assert_eq!(rerun.clients().count(), 0, "there was no hello");
    }

    #[test]
    fn what_is_out_of_order_is_counted() {
        let (rerun, _) = rerun([request(200, 1), request(190, 1), request(100, 1)]);
        assert_eq!(rerun.tally().late, 1);
    }

    #[test]
    fn an_error_ends_it() {
        let mut rerun = Rerun::new(Policy::default(), &[], false);
        let requests = (0..30).map(|n| request(n, n));
        let mut told = 0;
        let end = rerun.run(std::iter::empty(), requests, |_| {
            told += 1;
            Err(())
        });
        assert_eq!((end, told), (Err(()), 1));
    }
}
