//! What is kept of a client or a group.

use super::scene::Scene;
use super::{Action, Decision, Finding};
use crate::classify::behaviour::count::Count;
use crate::classify::behaviour::group::Group;
use crate::classify::behaviour::profile::Profile;
use crate::classify::behaviour::seen::Tls;
use crate::classify::behaviour::signals::{About, Look, SIGNALS};
use crate::classify::family::Family;
use crate::classify::judgement::Class;

/// A client or a group, its score when it was looked at last, and what was decided.
#[derive(Clone, Debug, Default)]
pub(super) struct Row<S> {
    pub(super) subject: S,
    pub(super) marks: Marks,
    pub(super) score: u32,
    in_force: Option<(Action, u64)>,
    last_ms: u64,
}

pub(super) type ClientRow = Row<Client>;

/// A client at a service.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    pub(super) profile: Profile,
    class: Option<Class>,
    family: Option<Family>,
    is_mixed: bool,
    /// The last fingerprint, hashed.
    pub(super) fingerprint: u64,
}

/// Since when each signal fires.
#[derive(Clone, Debug)]
pub(super) struct Marks([Option<u64>; SIGNALS.len()]);

/// What signals say together.
#[derive(Clone, Debug)]
pub(super) struct Assessed {
    pub(super) findings: Vec<Finding>,
    pub(super) score: u32,
}

impl<S> Row<S> {
    /// What a blocked one still does isn't held against it a second time.
    pub(super) fn is_blocked(&self, now_ms: u64) -> bool {
        self.in_force.is_some_and(|(action, ends_ms)| action == Action::Block && ends_ms > now_ms)
    }

    /// Whether it was heard of within the time that its profile holds.
    fn is_recent(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.last_ms) < RECENT_MS
    }

    /// Whether something is in force.
    pub(super) fn is_decided(&self, now_ms: u64) -> bool {
        self.in_force.is_some_and(|(_, ends_ms)| ends_ms > now_ms)
    }

    /// Whether only a note is asked for, and there is one.
    pub(super) fn was_told(&self, asked: &Decision, at_most: Action) -> bool {
        let is_note = asked.action.min(at_most) == Action::Watch;
        is_note && self.is_decided(asked.at_ms)
    }

    /// Writes down what was decided; whether the evidence is spent with it.
    pub(super) fn note(&mut self, decision: &Decision) -> bool {
        self.in_force = Some((decision.action, decision.ends_ms));
        let is_spent = decision.action > Action::Watch;
        if is_spent {
            (self.marks, self.score) = (Marks::default(), 0);
        }
        is_spent
    }
}

impl ClientRow {
    pub(super) fn handle(&mut self, scene: &Scene<'_>, fingerprint: u64, secret: u64) {
        let (seen, is_sure) = (scene.seen, scene.service.accounts);
        self.last_ms = seen.at_ms;
        let sure = (secret, is_sure);
        self.subject.profile.handle(seen, scene.login, fingerprint, sure);
        if let Some(tls) = &seen.tls {
            self.subject.take(tls);
            self.subject.fingerprint = fingerprint;
        }
    }

    /// Who wasn't heard of for long goes first; of those that nothing speaks against the one that
    /// did least.
    pub(super) fn worth(&self, now_ms: u64) -> (bool, bool, u32, u32) {
        let counts = &self.subject.profile.counts;
        let done = counts.of(Count::Requests) + counts.of(Count::Handshakes);
        (self.is_recent(now_ms), self.is_decided(now_ms), self.score, done)
    }
}

impl Row<Group> {
    /// A fingerprint that many have is worth most: made-up ones have one client each.
    pub(super) fn worth(&self, now_ms: u64) -> (bool, bool, u32, u32) {
        let clients = self.subject.clients() + self.subject.good();
        (self.is_recent(now_ms), self.is_decided(now_ms), self.score, clients)
    }

    pub(super) fn handle(&mut self, scene: &Scene<'_>, secret: u64) {
        self.last_ms = scene.seen.at_ms;
        self.subject.handle(scene.seen, scene.login, secret);
    }
}

impl Client {
    /// What it is. Where a browser's hellos and another program's come from one address,
    /// several may share it, and it is neither.
    pub(super) fn class(&self) -> Class {
        let class = self.class.filter(|_| !self.is_mixed);
        class.unwrap_or(Class::Unknown)
    }

    /// Further hellos in the same clothes may show that nobody is in them: that is no other
    /// program.
    fn take(&mut self, tls: &Tls<'_>) {
        let is_browser = |class| matches!(class, Class::Browser | Class::Automation);
        let differs = |before| is_browser(before) != is_browser(tls.class);
        let same_clothes = tls.family.is_some() && tls.family == self.family;
        self.is_mixed |= !same_clothes && self.class.is_some_and(differs);
        (self.class, self.family) = (Some(tls.class), tls.family);
    }
}

impl Default for Marks {
    fn default() -> Self {
        Self([None; SIGNALS.len()])
    }
}

impl Marks {
    /// Looks at somebody with all signals that are about such.
    pub(super) fn assess(&mut self, look: &Look<'_>, about: About, now_ms: u64) -> Assessed {
        let mut findings = Vec::new();
        for (signal, since) in SIGNALS.iter().zip(&mut self.0) {
            let evidence = signal.is_about(about).then(|| (signal.look)(look)).flatten();
            let Some(evidence) = evidence else {
                *since = None;
                continue;
            };
            let (name, weight) = (signal.name.to_owned(), signal.weight);
            let since_ms = *since.get_or_insert(now_ms);
            findings.push(Finding { name, weight, evidence, since_ms });
        }
        let score = findings.iter().map(|finding| finding.weight).sum::<u32>().min(MAX_SCORE);
        Assessed { findings, score }
    }
}

const MAX_SCORE: u32 = 100;

const RECENT_MS: u64 = 2 * 3_600_000;
