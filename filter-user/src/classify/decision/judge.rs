//! Keeps the evidence, asks the policy, and decides.
//!
//! Handshakes and requests go in, decisions come out. No clock: time comes with what is seen.

mod guard;
mod operator;
mod row;
mod scene;

use super::exception::Exceptions;
use super::neighbour::{Neighbours, Reached};
use super::policy::{DEFAULT, Policy, Service};
use super::record::Records;
use super::{Action, Decision, Finding, Whom, network};
use crate::classify::behaviour::distinct::hash;
use crate::classify::behaviour::group::Group;
use crate::classify::behaviour::seen::{Seen, Tls, What};
use crate::classify::behaviour::signals::{About, Look};
use crate::classify::behaviour::table::Table;
use filter_common::abi::client::ClientKey;
use guard::Guarded;
pub use operator::{GroupStanding, Saved, Standing};
use row::{ClientRow, Row};
use scene::Scene;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that was seen and decided.
///
/// *Concurrency*: owned by one task.
#[derive(Debug)]
pub struct Judge {
    policy: Arc<Policy>,
    /// For services that the policy doesn't name.
    elsewhere: Arc<Service>,
    secret: u64,
    clients: Table<(u16, ClientKey), ClientRow>,
    groups: Table<(u16, u64), Row<Group>>,
    /// When a service's log last said something.
    logged_ms: BTreeMap<u16, u64>,
    neighbours: Neighbours,
    records: Records,
    exceptions: Exceptions,
}

impl Judge {
    /// One that has seen nothing. The secret keeps others from aiming at sketches.
    ///
    /// The policy is one that [`Policy::check`] has nothing against.
    #[must_use]
    pub fn new(policy: Policy, secret: u64) -> Self {
        Self {
            elsewhere: Arc::new(policy.default_service()),
            policy: Arc::new(policy),
            secret,
            clients: Table::new(CLIENTS),
            groups: Table::new(GROUPS),
            logged_ms: BTreeMap::new(),
            neighbours: Neighbours::default(),
            records: Records::default(),
            exceptions: Exceptions::default(),
        }
    }

    /// Goes on with another policy. Evidence is gathered anew, since services may be others;
    /// strikes and exceptions stay.
    pub fn set_policy(&mut self, policy: Policy) {
        self.elsewhere = Arc::new(policy.default_service());
        self.policy = Arc::new(policy);
        self.clients = Table::new(CLIENTS);
        self.groups = Table::new(GROUPS);
        self.logged_ms.clear();
    }

    /// What is in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The name of the service at a port under a name, as [`Policy::service_of`] says.
    #[must_use]
    pub fn service_of(&self, port: u16, host: Option<&str>) -> String {
        self.policy.service_of(port, host).to_owned()
    }

    /// Takes in what a client did, and says what follows.
    pub fn handle(&mut self, seen: &Seen<'_>) -> Vec<Decision> {
        let policy = Arc::clone(&self.policy);
        let elsewhere = Arc::clone(&self.elsewhere);
        let scene = Scene::new(seen, &policy, &elsewhere);
        let number = scene.number;
        if matches!(seen.what, What::Request(_)) {
            self.logged_ms.insert(number, seen.at_ms);
        }
        if self.is_shielded(&scene) {
            return Vec::new();
        }
        let key = (number, seen.client);
        let fingerprint = seen.tls.map_or(0, |tls| hash(self.secret, tls.ja4));
        let row = self.clients.entry(&key, |row| row.worth(seen.at_ms));
        if row.is_blocked(seen.at_ms) {
            return Vec::new();
        }
        row.handle(&scene, fingerprint, self.secret);
        let is_good = row.subject.profile.is_good();
        if is_good {
            self.neighbours.welcome(seen.client, seen.at_ms);
        }
        let group = seen.tls.filter(|tls| !self.is_excepted(tls, seen.at_ms));
        let of_group = group.and_then(|tls| self.handle_group(&scene, &tls, fingerprint, is_good));
        let failing = group.and_then(|_| self.groups.get(&(number, fingerprint)));
        let failing = failing.and_then(|row| failing_with(&row.subject, scene.policy, seen.at_ms));
        let of_client = self.judge_client(&scene, failing);
        let of_prefix = of_client.as_ref().and_then(|decision| self.judge_prefix(&scene, decision));
        [of_group, of_client, of_prefix].into_iter().flatten().collect()
    }

    fn handle_group(
        &mut self,
        scene: &Scene<'_>,
        tls: &Tls<'_>,
        fingerprint: u64,
        is_good: bool,
    ) -> Option<Decision> {
        let now_ms = scene.seen.at_ms;
        let row = self.groups.entry(&(scene.number, fingerprint), |row| row.worth(now_ms));
        row.subject.meet(scene.seen, is_good, self.secret);
        // Not every block of a fingerprint is carried out: its clients answer for it meanwhile.
        row.handle(scene, self.secret);
        if row.is_blocked(now_ms) {
            return None;
        }
        if row.subject.clients() < scene.policy.group_clients.max(2) {
            return None;
        }
        let group = &row.subject;
        let (class, failing_together) = (group.class(), group.failing_together());
        let profile = &group.profile;
        let look = Look { profile, class, has_log: false, failing_together, is_shared: false };
        let assessed = row.marks.assess(&look, About::Group, now_ms);
        row.score = assessed.score;
        let guarded = Guarded::group(&row.subject, scene.policy, now_ms);
        let whom = Whom::Fingerprint(tls.ja4.to_owned());
        let asked = scene.ask(whom, class, assessed)?;
        if row.was_told(&asked, guarded.at_most) {
            return None;
        }
        let decision = scene.escalate(&mut self.records, asked, guarded)?;
        if row.note(&decision) {
            row.subject.spend();
        }
        Some(decision)
    }

    fn judge_client(
        &mut self,
        scene: &Scene<'_>,
        failing: Option<(u32, bool)>,
    ) -> Option<Decision> {
        let now_ms = scene.seen.at_ms;
        let has_log = self.has_log(scene.number, now_ms);
        let row = self.clients.get_mut(&(scene.number, scene.seen.client))?;
        let (class, profile) = (row.subject.class(), &row.subject.profile);
        let (failing_together, is_shared) = failing.unzip();
        let is_shared = is_shared.unwrap_or_default();
        let look = Look { profile, class, has_log, failing_together, is_shared };
        let assessed = row.marks.assess(&look, About::Client, now_ms);
        row.score = assessed.score;
        let guarded = Guarded::client(profile);
        let whom = Whom::Network(network::of(scene.seen.client));
        let by_class = scene
            .seen
            .tls
            .is_some_and(|tls| !is_excepted(scene.policy, &self.exceptions, tls.ja4, now_ms));
        let by_class = by_class.then(|| scene.ask_by_class(&whom, class, &assessed)).flatten();
        // What it does counts for more than what it is.
        let by_line = scene.ask(whom, class, assessed);
        let counts = |asked: &Decision| asked.action > Action::Watch && !asked.by_class;
        let asked = by_line.filter(|asked| by_class.is_none() || counts(asked));
        let asked = asked.or(by_class)?;
        if row.was_told(&asked, guarded.at_most) {
            return None;
        }
        let decision = scene.escalate(&mut self.records, asked, guarded)?;
        if row.note(&decision) {
            row.subject.profile.spend();
        }
        Some(decision)
    }

    /// A prefix many of whose clients were blocked is blocked, or limited if others in it
    /// belong here. One that holds an excepted address is left alone.
    fn judge_prefix(&mut self, scene: &Scene<'_>, cause: &Decision) -> Option<Decision> {
        if cause.action != Action::Block {
            return None;
        }
        let now_ms = scene.seen.at_ms;
        let client = scene.seen.client;
        let reached = self.neighbours.offend(client, cause.shadow, now_ms, scene.policy)?;
        let excepted = scene.policy.except.iter().any(|net| network::overlap(net, &reached.prefix));
        if excepted || self.exceptions.shield(&reached.prefix, now_ms).is_some() {
            return None;
        }
        let Reached { prefix, offenders, good } = reached;
        let asked = Decision {
            whom: Whom::Network(prefix),
            findings: vec![Finding {
                name: "blocked-neighbours".to_owned(),
                weight: cause.score,
                evidence: format!(
                    "{offenders} parts of {prefix} have blocked clients, the last one for {}",
                    cause.reason()
                ),
                since_ms: now_ms,
            }],
            line: format!("{} in a prefix", cause.line),
            action: Action::Block,
            ..cause.clone()
        };
        let decision = scene.escalate(&mut self.records, asked, Guarded::prefix(good))?;
        self.neighbours.spend(prefix, cause.shadow);
        Some(decision)
    }

    fn has_log(&self, service: u16, now_ms: u64) -> bool {
        let last_line_ms = self.logged_ms.get(&service);
        last_line_ms.is_some_and(|ms| now_ms.saturating_sub(*ms) < LOG_SILENT_MS)
    }

    fn is_shielded(&self, scene: &Scene<'_>) -> bool {
        let network = network::of(scene.seen.client);
        scene.policy.except.iter().any(|net| network::overlap(net, &network))
            || self.exceptions.shield(&network, scene.seen.at_ms).is_some()
    }

    fn is_excepted(&self, tls: &Tls<'_>, now_ms: u64) -> bool {
        is_excepted(&self.policy, &self.exceptions, tls.ja4, now_ms)
    }
}

fn is_excepted(policy: &Policy, exceptions: &Exceptions, ja4: &str, now_ms: u64) -> bool {
    policy.except_fingerprints.iter().any(|kept| kept == ja4)
        || exceptions.shield_fingerprint(ja4, now_ms).is_some()
}

/// How many of a group failed together of late, and whether good clients are among them.
fn failing_with(group: &Group, policy: &Policy, now_ms: u64) -> Option<(u32, bool)> {
    let failing = group.failed_together(now_ms)?;
    Some((failing, group.good() >= policy.shared_from.max(1)))
}

/// Clients at services. When there is no more room those go that nothing speaks against and
/// that did least: nobody is blocked for what was forgotten.
const CLIENTS: usize = 32_768;

/// Fingerprints at services. When there is no more room those with the fewest clients go.
const GROUPS: usize = 4096;

/// A log that says nothing for so long may have stopped.
const LOG_SILENT_MS: u64 = 60_000;

#[cfg(test)]
mod tests;
