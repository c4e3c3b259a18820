//! Asking the policy about what was seen.

use super::guard::Guarded;
use super::row::Assessed;
use super::{Action, DEFAULT, Decision, Policy, Records, Service, Whom};
use crate::classify::behaviour::profile::Login;
use crate::classify::behaviour::seen::Seen;
use crate::classify::judgement::Class;

/// What is seen, and where.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) seen: &'a Seen<'a>,
    pub(super) policy: &'a Policy,
    pub(super) service: &'a Service,
    /// The service's name; [`DEFAULT`] for all that have none.
    pub(super) name: &'a str,
    /// Its place among the policy's services, from 1.
    pub(super) number: u16,
    pub(super) login: Option<Login>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(seen: &'a Seen<'a>, policy: &'a Policy, elsewhere: &'a Service) -> Self {
        let named = policy.services.iter().zip(1..);
        let is_it = |name: &str| name == seen.service && name != DEFAULT;
        let found = named.into_iter().find(|((name, _), _)| is_it(name));
        let (name, service, number) = match found {
            Some(((name, service), number)) => (name.as_str(), service, number),
            None => (DEFAULT, elsewhere, 0),
        };
        Self { seen, policy, service, name, number, login: service.login(seen) }
    }

    /// What the policy's lines ask for.
    pub(super) fn ask(&self, whom: Whom, class: Class, assessed: Assessed) -> Option<Decision> {
        let fired: Vec<&str> = assessed.findings.iter().map(|found| found.name.as_str()).collect();
        let line = self.policy.line(self.name, class, assessed.score, &fired)?;
        let decision = self.decision(whom, class, assessed, &line.name, line.action);
        Some(Decision { by_class: line.is_by_class(), ..decision })
    }

    /// What a service that is for browsers only asks for: a limit, so that browsers behind the
    /// same address can show themselves before it becomes a block.
    pub(super) fn ask_by_class(
        &self,
        whom: &Whom,
        class: Class,
        assessed: &Assessed,
    ) -> Option<Decision> {
        let is_program = matches!(class, Class::Library | Class::Tool | Class::Impersonator);
        let asks = self.service.browsers_only && is_program;
        let decision =
            || self.decision(whom.clone(), class, assessed.clone(), BROWSERS_ONLY, Action::Limit);
        asks.then(|| Decision { by_class: true, ..decision() })
    }

    pub(super) fn escalate(
        &self,
        records: &mut Records,
        mut asked: Decision,
        guarded: Guarded,
    ) -> Option<Decision> {
        asked.narrowed = guarded.because.filter(|_| asked.action > guarded.at_most);
        records.escalate(asked, guarded.at_most, &self.policy.ladder)
    }

    fn decision(
        &self,
        whom: Whom,
        class: Class,
        assessed: Assessed,
        line: &str,
        action: Action,
    ) -> Decision {
        Decision {
            whom,
            service: self.name.to_owned(),
            action,
            shadow: !self.service.enforce,
            class,
            score: assessed.score,
            findings: assessed.findings,
            line: line.to_owned(),
            narrowed: None,
            by_class: false,
            ja4: self.seen.tls.map(|tls| tls.ja4.to_owned()),
            strike: 0,
            at_ms: self.seen.at_ms,
            ends_ms: self.seen.at_ms,
        }
    }
}

const BROWSERS_ONLY: &str = "browsers only";
