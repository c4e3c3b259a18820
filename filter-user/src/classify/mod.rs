//! The classifier: from hellos to verdicts. Events and time go in, requests come out.
//!
//! The first rule set: a known tool or library, too many handshakes. (Rules of operators are
//! the kernel's work: see [`rule`](crate::rule).) A hello counts only if its sender can't be forged; see
//! [`HelloSeen::proven`].

pub mod clients;
pub mod evidence;
pub mod family;
pub mod fingerprints;
pub mod judgement;
pub mod knowledge;
#[cfg(test)]
mod sample;
pub mod shape;
pub mod signals;
pub mod stack;
pub mod syn;

use filter_common::abi::client::ClientKey;
use filter_common::gcra::Rate;
use fingerprints::Fingerprints;
use knowledge::{Kind, Knowledge};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// A ClientHello that was put together.
#[derive(Clone, Copy, Debug)]
pub struct HelloSeen<'a> {
    /// Who sent it.
    pub client: ClientKey,
    /// Its JA4.
    pub ja4: &'a str,
    /// Its JA4 in the order of the wire, before hashing.
    pub ja4_ro: &'a str,
    /// Its JA3.
    pub ja3: &'a str,
    /// The name it asked for.
    pub sni: Option<&'a str>,
    /// The protocols it offered.
    pub alpn: Option<&'a str>,
    /// Whether the sender has shaken hands with this host, so that nobody else can have
    /// written its address there. Only then is it recorded and held against anybody.
    pub proven: bool,
}

/// What happens to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sanction {
    /// Every packet is dropped.
    Block,
    /// The client gets the throttle limit.
    Throttle,
    /// Nothing.
    Watch,
}

/// How the classifier is set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// For known tools.
    pub tool: Sanction,
    /// For known libraries.
    pub library: Sanction,
    /// For further fingerprints.
    pub fingerprints: BTreeMap<String, Sanction>,
    /// Handshakes that a client may make.
    pub handshakes: Rate,
    /// How long a verdict lasts.
    pub lasts: Duration,
}

/// A verdict that the classifier asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// About whom.
    pub client: ClientKey,
    /// What happens.
    pub sanction: Sanction,
    /// How long.
    pub lasts: Duration,
    /// What it rests on, for people.
    pub reason: String,
}

/// Clients whose handshakes are counted at once.
///
/// At the limit those that are back at rest are forgotten; if none is, a new client
/// isn't counted.
const CLIENTS: usize = 65_536;

/// The classifier.
///
/// *Concurrency*: owned by one task.
#[derive(Debug)]
pub struct Classifier {
    /// What was seen, by fingerprint.
    pub seen: Fingerprints,
    /// What is known.
    pub knowledge: Knowledge,
    settings: Settings,
    handshakes: HashMap<ClientKey, u64>,
}

impl Classifier {
    /// A classifier that has seen nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            seen: Fingerprints::default(),
            knowledge: Knowledge::default(),
            settings,
            handshakes: HashMap::new(),
        }
    }

    /// Takes in a hello, and says what it asks for.
    ///
    /// *Units*: `now_ns` on the kernel's clock.
    pub fn handle_hello(&mut self, hello: &HelloSeen, now_ns: u64) -> Option<Request> {
        if !hello.proven {
            return None;
        }
        self.seen.record(hello);
        let over = self.is_over_rate(hello.client, now_ns);
        let request = self.judge_known(hello);
        let request = request.or_else(|| over.then(|| self.judge_rate(hello)));
        request.filter(|request| request.sanction != Sanction::Watch)
    }

    fn judge_known(&self, hello: &HelloSeen) -> Option<Request> {
        if let Some(sanction) = self.settings.fingerprints.get(hello.ja4) {
            let reason = format!("fingerprint {} is listed in the configuration", hello.ja4);
            return Some(self.request(hello.client, *sanction, reason));
        }
        let known = self.knowledge.look_up(hello.ja4)?;
        let sanction = match known.kind {
            Kind::Tool => self.settings.tool,
            Kind::Library => self.settings.library,
            Kind::Browser => return None,
        };
        let kind = known.kind.name();
        let reason = format!("known {kind} ({}), fingerprint {}", known.programs, hello.ja4);
        // A kind that is only watched doesn't hide a rate that isn't.
        (sanction != Sanction::Watch).then(|| self.request(hello.client, sanction, reason))
    }

    fn judge_rate(&self, hello: &HelloSeen) -> Request {
        let rate = &self.settings.handshakes;
        let in_a_second = rate.clock(rate.origin_ns + 1_000_000_000).wrapping_sub(rate.origin);
        let per_sec = in_a_second >> rate.unit_bits;
        let reason = format!("more than {per_sec} TLS handshakes a second");
        self.request(hello.client, Sanction::Throttle, reason)
    }

    const fn request(&self, client: ClientKey, sanction: Sanction, reason: String) -> Request {
        Request { client, sanction, lasts: self.settings.lasts, reason }
    }

    fn is_over_rate(&mut self, client: ClientKey, now_ns: u64) -> bool {
        let rate = self.settings.handshakes;
        let clock = rate.clock(now_ns);
        if self.handshakes.len() >= CLIENTS && !self.handshakes.contains_key(&client) {
            self.handshakes.retain(|_, word| Rate::ahead(*word, clock) != 0);
        }
        if rate.burst == 0
            || self.handshakes.len() >= CLIENTS && !self.handshakes.contains_key(&client)
        {
            return false;
        }
        let word = self.handshakes.entry(client).or_default();
        let charged = rate.charge(*word, clock, 1, rate.burst);
        *word = charged.word;
        !charged.passed
    }
}

#[cfg(test)]
mod tests;
