//! Which hello a request belongs to.
//!
//! A log that has the client's port names the connection, and so the hello that opened it. One
//! that doesn't names an address and a time: the hello is known then only if all that came from
//! there look alike, as long as their connections may go on. Where several kinds may own a request,
//! or some of them aren't known, it has none.
//!
//! A request over QUIC has no hello: those over QUIC prove nothing, and one over TCP isn't its own.
//!

mod client;
mod connection;
mod gone;

use super::Request;
use crate::fingerprint::{Cause, Ja4, Outcome};
use crate::recent::Recent;
use client::Client;
use connection::Connection;
use gone::Gone;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;

/// Connections whose hello is remembered. At the limit the one that was used longest ago is
/// forgotten, which is counted: its later requests have no hello.
pub const MAX_CONNECTIONS: usize = 65_536;

/// Addresses whose hellos are remembered for logs without ports. At the limit the one that was
/// heard of longest ago is forgotten: when it says hello again, its requests are ambiguous until
/// its former connections have ended.
pub const MAX_CLIENTS: usize = 16_384;

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

impl Hello {
    /// What is remembered of a hello that came at this time.
    #[must_use]
    pub fn of(outcome: &Outcome, time_unix_ms: u64) -> Self {
        let ja4 = outcome.result.as_ref().map(|hello| hello.fingerprint.ja4);
        Self {
            client: outcome.flow.source,
            server: outcome.flow.destination,
            time_unix_ms,
            fingerprint: ja4.map_err(|cause| *cause),
            wire: outcome.wire,
        }
    }
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
    /// that the kernel didn't tell, or connections from before the daemon's start.
    Time,
}

/// How much is remembered, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections whose hello is remembered.
    pub connections: usize,
    /// Connections that were forgotten for newer ones.
    pub forgotten: u64,
    /// Requests that may be of several hellos, or of one that is forgotten.
    pub ambiguous: u64,
}

/// A request may be of several hellos.
#[derive(Debug, PartialEq, Eq)]
struct Several;

type Found = Result<Option<Matched>, Several>;

/// A connection's name: client, and the server's port. The server's address may be another one in
/// the server's view, and isn't in logs: connections to two of them share a name.
type Name = (IpAddr, u16, u16);

/// Joins requests with hellos.
///
/// *Shape*: bounded by [`MAX_CONNECTIONS`] and [`MAX_CLIENTS`]: at most some 40 MB.
///
/// *Concurrency*: owned by one task.
#[derive(Debug)]
pub struct Join {
    /// The service ports of each log.
    ports: Vec<Vec<NonZeroU16>>,
    connections: Recent<Name, Connection>,
    clients: Recent<IpAddr, Client>,
    gone: Gone,
    counts: Counts,
}

impl Join {
    /// For logs that are about these ports.
    #[must_use]
    pub fn new(ports: Vec<Vec<NonZeroU16>>) -> Self {
        Self {
            ports,
            connections: Recent::new(MAX_CONNECTIONS),
            clients: Recent::new(MAX_CLIENTS),
            gone: Gone::new(),
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
        let (address, name) = (hello.client.ip(), name(hello.client, hello.server));
        let connection = Connection::new(hello, self.connections.look(&name));
        self.connections.insert(name, connection);
        if let Some(client) = self.clients.touch(&address) {
            return client.handle_hello(hello);
        }
        let mut client = Client::new(self.gone.until_unix_ms(&address));
        client.handle_hello(hello);
        if let Some((address, client)) = self.clients.insert(address, client) {
            self.gone.forget(&address, client.until_unix_ms());
        }
    }

    /// Takes in that somebody said a hello of which nothing may be believed: if it is of a new
    /// connection, that has the name of one that is known.
    pub fn handle_unproven(&mut self, client: SocketAddr, server: SocketAddr, time_unix_ms: u64) {
        let name = name(client, server);
        self.connections.remove(&name);
        if let Some(client) = self.clients.touch(&name.0) {
            client.handle_unknown(time_unix_ms);
        }
    }

    /// Joins a request of a log with its hello, which was told before it: the kernel tells a hello
    /// before its server can answer.
    pub fn handle_request(&mut self, log: usize, request: Request) -> Joined {
        let found = self.find(log, &request);
        self.counts.ambiguous += u64::from(found.is_err());
        Joined { log, request, hello: found.unwrap_or(None) }
    }

    /// How much is remembered.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let connections = self.connections.len();
        Counts { connections, forgotten: self.connections.forgotten(), ..self.counts }
    }

    fn find(&mut self, log: usize, request: &Request) -> Found {
        if request.over_quic {
            return Ok(None);
        }
        match request.port {
            Some(port) => self.find_by_port(log, request, port),
            None => self.find_by_time(log, request),
        }
    }

    fn find_by_port(&mut self, log: usize, request: &Request, port: NonZeroU16) -> Found {
        let (connections, time) = (&mut self.connections, request.time_unix_ms);
        let mut found = Ok(None);
        for service in self.ports.get(log).into_iter().flatten() {
            let name = (request.address, port.get(), service.get());
            let fits = connections.look(&name).is_some_and(|connection| connection.may_own(time));
            if fits && let Some(connection) = connections.touch(&name) {
                let matched = connection.handle_request(time);
                found = if found == Ok(None) { matched.map(Some) } else { Err(Several) };
            }
        }
        found
    }

    fn find_by_time(&mut self, log: usize, request: &Request) -> Found {
        let ports = self.ports.get(log).map_or(&[][..], Vec::as_slice);
        let Some(client) = self.clients.touch(&request.address) else {
            return Ok(None);
        };
        let hello = client.handle_request(ports, request.time_unix_ms)?;
        Ok(hello.map(|hello| Matched { hello, by: By::Time, requests: 0 }))
    }
}

fn name(client: SocketAddr, server: SocketAddr) -> Name {
    (client.ip().to_canonical(), client.port(), server.port())
}

#[cfg(test)]
mod tests;
