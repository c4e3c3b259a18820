//! The detector: what clients are, what they do, and what follows.

use super::behaviour::seen::{Field, Request, Seen, Sni, Tls, What};
use super::clients::Clients;
use super::decision::Decision;
use super::decision::judge::Judge;
use super::evidence::{Hello, View};
use super::fingerprints::Fingerprints;
use super::judgement::{Judgement, judge};
use super::knowledge::{Day, Knowledge};
use super::shape::Shape;
use crate::access_log::join::Joined;
use crate::access_log::{self, Header};
use crate::fingerprint::{self, Cause, Outcome};
use crate::verdict::client_of;
use filter_common::abi::client::ClientKey;
use std::net::IpAddr;

/// All that is known of clients, and what follows from it.
///
/// *Units*: times in milliseconds since 1970. *Concurrency*: owned by one task.
#[derive(Debug)]
pub struct Detector {
    /// What was seen, by fingerprint.
    pub seen: Fingerprints,
    /// What is known before anything was seen.
    pub knowledge: Knowledge,
    /// What each client has shown of itself.
    pub clients: Clients,
    /// What clients do, and what was decided.
    pub judge: Judge,
}

/// What follows from a hello.
#[derive(Debug, Default)]
pub struct Found {
    /// What is held of its client, if that is another class than before.
    pub changed: Option<Judgement>,
    /// What was decided.
    pub decisions: Vec<Decision>,
}

/// A line that comes later than this counts as if it came now, less this: what a log's clock or a
/// log that was held up says may not reach far into the past.
const LATE_MS: u64 = 60_000;

impl Detector {
    /// One that has seen nothing.
    #[must_use]
    pub fn new(judge: Judge) -> Self {
        Self {
            seen: Fingerprints::default(),
            knowledge: Knowledge::default(),
            clients: Clients::default(),
            judge,
        }
    }

    /// Takes in what became of a hello, of which it is proven who sent it.
    ///
    /// Behind a `HelloRetryRequest` stacks leave out what they would else make up, so only a
    /// connection's first hello counts.
    pub fn handle_hello(&mut self, outcome: &Outcome, unix_ms: u64) -> Found {
        let client = client_of(outcome.flow.source.ip());
        let hello = match &outcome.result {
            Ok(hello) => hello,
            // Floods of others and bad lines bring these about.
            Err(Cause::TableFull | Cause::TimedOut) => return Found::default(),
            Err(cause) => {
                let is_new = self.clients.show_cause(client, cause.name(), unix_ms);
                let changed = is_new.then(|| self.hold(&client, unix_ms)).flatten();
                return Found { changed, decisions: Vec::new() };
            }
        };
        self.seen.record(hello);
        if !outcome.is_first {
            return Found::default();
        }
        let is_new = self.clients.show_hello(client, (outcome.wire, outcome.syn), unix_ms, || {
            let ja4 = hello.fingerprint.ja4.to_string();
            Some(Hello::new(ja4, Shape::read(&hello.message).ok()?, outcome.syn))
        });
        let changed = is_new.then(|| self.hold(&client, unix_ms)).flatten();
        let port = outcome.flow.destination.port();
        Found { changed, decisions: self.handle_handshake(client, hello, port, unix_ms) }
    }

    /// Takes in a request, as the log of a server on a port has it, with its hello if that is
    /// known.
    pub fn handle_request(&mut self, joined: &Joined, port: u16, now_ms: u64) -> Vec<Decision> {
        let request = &joined.request;
        let client = client_of(request.address);
        let hello = joined.hello.map(|matched| matched.hello);
        let port = hello.map_or(port, |hello| hello.server.port());
        let ja4 = hello.and_then(|hello| hello.fingerprint.ok());
        let at_ms = request.time_unix_ms.clamp(now_ms.saturating_sub(LATE_MS), now_ms);
        let service = self.judge.service_of(port, request.host.as_deref());
        let tls = ja4.as_ref().map(|ja4| self.tls_of(&client, ja4.as_str()));
        let what = What::Request(described(request));
        self.judge.handle(&Seen { client, service: &service, tls, at_ms, what })
    }

    /// What is held of a client; `None` if it has shown nothing.
    #[must_use]
    pub fn judge(&self, client: &ClientKey, unix_ms: u64) -> Option<Judgement> {
        let evidence = &self.clients.get(client)?.evidence;
        let today = Day::of_seconds(unix_ms / 1000);
        Some(judge(&View { evidence, knowledge: &self.knowledge, today }))
    }

    fn handle_handshake(
        &mut self,
        client: ClientKey,
        hello: &fingerprint::Hello,
        port: u16,
        at_ms: u64,
    ) -> Vec<Decision> {
        let sni = match hello.sni.as_deref() {
            Some(name) if name.parse::<IpAddr>().is_ok() => Sni::Address,
            Some(name) => Sni::Name(name),
            None => Sni::None,
        };
        let service = self.judge.service_of(port, hello.sni.as_deref());
        let ja4 = hello.fingerprint.ja4;
        let tls = Some(self.tls_of(&client, ja4.as_str()));
        let what = What::Handshake(sni);
        self.judge.handle(&Seen { client, service: &service, tls, at_ms, what })
    }

    fn hold(&mut self, client: &ClientKey, unix_ms: u64) -> Option<Judgement> {
        let (knowledge, today) = (&self.knowledge, Day::of_seconds(unix_ms / 1000));
        self.clients.hold(client, |evidence| judge(&View { evidence, knowledge, today }))
    }

    fn tls_of<'a>(&self, client: &ClientKey, ja4: &'a str) -> Tls<'a> {
        let hello = self.clients.get(client).and_then(|shown| shown.hello(ja4));
        let system = hello.and_then(Hello::system);
        match hello {
            Some(hello) => Tls { ja4, class: hello.class, family: hello.family(), system },
            None => Tls { ja4, class: self.knowledge.class_of(ja4), family: None, system: None },
        }
    }
}

fn described(request: &access_log::Request) -> Request<'_> {
    Request {
        method: &request.method,
        path: &request.path,
        status: request.status,
        account: request.user.as_deref(),
        user_agent: field(&request.user_agent),
        accept_language: field(&request.accept_language),
        client_hints: field(&request.client_hints),
    }
}

fn field(header: &Header) -> Field<'_> {
    match header {
        Header::Unlogged => Field::NotLogged,
        Header::Absent => Field::Absent,
        Header::Sent(value) => Field::Is(value),
    }
}
