//! Which hello a request belongs to.
//!
//! A log that has the client's port names the connection, and so the hello that opened it. One
//! that doesn't names an address and a time: the hello is known then only if all that came from
//! there at that time look alike.
//!
//! A request over QUIC has no hello: those over QUIC prove nothing, and one over TCP isn't its own.
//!
//! Hellos and requests come by ways of their own, so a request may be there first; it waits for
//! its hello for [`PATIENCE_MS`].

mod client;
mod recent;

use super::Request;
use crate::fingerprint::{Cause, Ja4};
use client::Client;
use recent::Recent;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;

/// Connections whose hello is remembered. At the limit the one that was used longest ago is
/// forgotten, which is counted: its later requests have no hello.
pub const MAX_CONNECTIONS: usize = 65_536;

/// Addresses whose last hellos are remembered for logs without ports. At the limit the one that
/// was heard of longest ago is forgotten.
pub const MAX_CLIENTS: usize = 16_384;

/// Requests that wait for their hello. At the limit the oldest goes on without one.
pub const MAX_WAITING: usize = 4096;

/// How long a request waits for its hello.
pub const PATIENCE_MS: u64 = 500;

/// How much later than a request its hello may seem to have come: logs of whole seconds.
const TOLERANCE_MS: u64 = 2000;

/// How long a connection may rest. What comes later under its name is another one whose hello is
/// not known: servers hang up before.
const REST_MS: u64 = 3_600_000;

/// A hello, as the kernel tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Who said it.
    pub client: SocketAddr,
    /// To whom.
    pub server: SocketAddr,
    /// When, in milliseconds since 1970.
    pub time_unix_ms: u64,
    /// Its JA4, or why it has none.
    pub fingerprint: Result<Ja4, Cause>,
    /// The keyed hash of what its JA3 is made of: its order on the wire.
    pub wire: u64,
}

/// A request, and the hello of its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Which log has it: its place in the configuration.
    pub log: usize,
    /// The request.
    pub request: Request,
    /// The hello, if it is known.
    pub hello: Option<Matched>,
}

/// A hello that a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The hello. By time alone it is the last of those that it may be, which look alike.
    pub hello: Hello,
    /// How it was found.
    pub by: By,
    /// How many requests its connection has had, this one included; zero if that isn't known.
    pub requests: u32,
}

/// How a request's hello was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By the client's address and port: it is this one.
    Port,
    /// By the client's address and the time: it looks like this one, unless the client has hellos
    /// that the kernel didn't tell.
    Time,
}

/// How much is remembered, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections whose hello is remembered.
    pub connections: usize,
    /// Connections that were forgotten for newer ones.
    pub forgotten: u64,
    /// Requests that wait for their hello.
    pub waiting: usize,
    /// Requests that could not wait, as too many did.
    pub hurried: u64,
    /// Requests without a port whose address had hellos of several kinds at that time.
    pub ambiguous: u64,
}

/// A connection's name: the server's address may be another one in the server's view.
type Name = (IpAddr, u16, u16);

/// Joins requests with hellos.
///
/// *Shape*: bounded by [`MAX_CONNECTIONS`], [`MAX_CLIENTS`] and [`MAX_WAITING`]: at most some
/// 40 MB, and 8 MB of requests with long texts.
///
/// *Concurrency*: owned by one task.
#[derive(Debug)]
pub struct Join {
    /// The service ports of each log.
    ports: Vec<Vec<NonZeroU16>>,
    connections: Recent<Name, Connection>,
    clients: Recent<IpAddr, Client>,
    waiting: VecDeque<Waiting>,
    ready: VecDeque<Joined>,
    counts: Counts,
}

#[derive(Debug)]
struct Connection {
    hello: Hello,
    requests: u32,
    used_unix_ms: u64,
}

#[derive(Debug)]
struct Waiting {
    until_unix_ms: u64,
    log: usize,
    request: Request,
}

impl Join {
    /// For logs that are about these ports.
    #[must_use]
    pub fn new(ports: Vec<Vec<NonZeroU16>>) -> Self {
        Self {
            ports,
            connections: Recent::new(MAX_CONNECTIONS),
            clients: Recent::new(MAX_CLIENTS),
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// Logs that a hello's request may be in.
    pub fn logs_of(&self, server_port: u16) -> impl Iterator<Item = usize> {
        let logs = self.ports.iter().enumerate();
        let logs =
            logs.filter(move |(_, ports)| ports.iter().any(|port| port.get() == server_port));
        logs.map(|(log, _)| log)
    }

    /// Takes in a hello. Only those whose sender is proven may be given: what a spoofed one said
    /// would be held against the address that really asks.
    ///
    /// A later hello of the same connection takes the place of the earlier one.
    pub fn handle_hello(&mut self, mut hello: Hello) {
        if self.logs_of(hello.server.port()).next().is_none() {
            return;
        }
        hello.client.set_ip(hello.client.ip().to_canonical());
        let address = hello.client.ip();
        let name = (address, hello.client.port(), hello.server.port());
        let connection = Connection { hello, requests: 0, used_unix_ms: hello.time_unix_ms };
        self.connections.insert(name, connection);
        if let Some(client) = self.clients.touch(&address) {
            client.handle_hello(hello);
        } else {
            self.clients.insert(address, Client::of(hello));
        }
    }

    /// Takes in a request of a log; [`poll`](Self::poll) gives it back.
    pub fn handle_request(&mut self, log: usize, request: Request, now_unix_ms: u64) {
        let hello = self.find(log, &request);
        if hello.is_some() || request.over_quic {
            return self.ready.push_back(Joined { log, request, hello });
        }
        if self.waiting.len() >= MAX_WAITING {
            self.counts.hurried += 1;
            self.go_on();
        }
        let until_unix_ms = now_unix_ms.saturating_add(PATIENCE_MS);
        self.waiting.push_back(Waiting { until_unix_ms, log, request });
    }

    /// The next request that waits no longer.
    pub fn poll(&mut self, now_unix_ms: u64) -> Option<Joined> {
        // A clock that was set back makes nobody wait for longer than the patience.
        let over = |waiting: &Waiting| {
            let left = waiting.until_unix_ms.saturating_sub(now_unix_ms);
            left == 0 || left > PATIENCE_MS
        };
        while self.ready.is_empty() && self.waiting.front().is_some_and(over) {
            self.go_on();
        }
        self.ready.pop_front()
    }

    /// How much is remembered.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let (connections, waiting) = (self.connections.len(), self.waiting.len());
        Counts { connections, waiting, forgotten: self.connections.forgotten(), ..self.counts }
    }

    /// Lets the request go on that waited longest, with its hello if that came meanwhile.
    fn go_on(&mut self) {
        if let Some(Waiting { log, request, .. }) = self.waiting.pop_front() {
            let hello = self.find(log, &request);
            self.ready.push_back(Joined { log, request, hello });
        }
    }

    fn find(&mut self, log: usize, request: &Request) -> Option<Matched> {
        if request.over_quic {
            return None;
        }
        match request.port {
            Some(port) => self.find_by_port(log, request, port),
            None => self.find_by_time(log, request),
        }
    }

    fn find_by_port(&mut self, log: usize, request: &Request, port: NonZeroU16) -> Option<Matched> {
        let ports = self.ports.get(log)?;
        let connections = &mut self.connections;
        ports.iter().find_map(|service| {
            let name = (request.address, port.get(), service.get());
            let connection = connections.look(&name)?;
            let time = request.time_unix_ms;
            // Of an earlier connection from the same port, or of one that isn't known.
            if time.saturating_add(TOLERANCE_MS) < connection.hello.time_unix_ms
                || time.saturating_sub(REST_MS) > connection.used_unix_ms
            {
                return None;
            }
            let connection = connections.touch(&name)?;
            connection.requests = connection.requests.saturating_add(1);
            connection.used_unix_ms = connection.used_unix_ms.max(time);
            let (hello, requests) = (connection.hello, connection.requests);
            Some(Matched { hello, by: By::Port, requests })
        })
    }

    fn find_by_time(&mut self, log: usize, request: &Request) -> Option<Matched> {
        let ports = self.ports.get(log)?;
        let client = self.clients.look(&request.address)?;
        let from = request.time_unix_ms.saturating_sub(client::WINDOW_MS);
        let until = request.time_unix_ms.saturating_add(TOLERANCE_MS);
        let Ok(hello) = client.only_one(ports, from, until) else {
            self.counts.ambiguous += 1;
            return None;
        };
        hello.map(|hello| Matched { hello, by: By::Time, requests: 0 })
    }
}

#[cfg(test)]
mod tests;
