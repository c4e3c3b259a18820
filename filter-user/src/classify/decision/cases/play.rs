//! Playing a case in virtual time.

use super::{Actor, Case, Expected, Found, Outcome, TooLong, VISITS};
use crate::classify::behaviour::seen::Seen;
use crate::classify::decision::judge::Judge;
use crate::classify::decision::policy::Policy;
use crate::classify::decision::{Decision, MINUTE_MS, Whom, network};

/// An actor's next visit.
struct Coming {
    at_ms: u64,
    actor: usize,
    index: u32,
}

impl Case {
    /// Plays it under a policy.
    ///
    /// *Errors*: [`TooLong`].
    pub fn play(&self, policy: &Policy) -> Result<Vec<Outcome>, TooLong> {
        let mut judge = Judge::new(policy.clone(), SECRET);
        let mut outcomes: Vec<Outcome> = self.actors.iter().map(|who| self.outcome(who)).collect();
        let mut visits = vec![0; self.actors.len()];
        for Coming { at_ms, actor, index } in self.coming()? {
            let who = &self.actors[actor];
            let n = visits[actor];
            visits[actor] += 1;
            let Some(visit) = who.visits.get(n % who.visits.len().max(1)) else {
                continue;
            };
            let filled = visit.fill(n, index);
            let (client, what) = (who.client(index), filled.what());
            let (service, tls) = (self.service.as_str(), who.tls());
            let seen = Seen { client, service, tls, at_ms: START_MS + at_ms, what };
            for decision in judge.handle(&seen) {
                for (outcome, (who, visits)) in
                    outcomes.iter_mut().zip(self.actors.iter().zip(&visits))
                {
                    outcome.take(who, &decision, *visits);
                }
            }
        }
        let checked = outcomes.into_iter().zip(&self.actors);
        Ok(checked.map(|(outcome, who)| outcome.checked(who)).collect())
    }

    /// All visits in their order.
    fn coming(&self) -> Result<Vec<Coming>, TooLong> {
        let mut coming = Vec::new();
        for (actor, who) in self.actors.iter().enumerate() {
            let turns = who.minutes * 60 / who.every_seconds.max(1);
            if turns.saturating_mul(u64::from(who.count)) > VISITS {
                return Err(TooLong { case: self.name.clone(), actor: who.name.clone() });
            }
            for index in 0..who.count {
                let moments = (0..turns).map(|turn| who.moment_ms(index, turn));
                coming.extend(moments.map(|at_ms| Coming { at_ms, actor, index }));
            }
        }
        coming.sort_by_key(|coming| coming.at_ms);
        Ok(coming)
    }

    fn outcome(&self, who: &Actor) -> Outcome {
        Outcome {
            case: self.name.clone(),
            actor: who.name.clone(),
            address: Expected::Nothing,
            fingerprint: Expected::Nothing,
            first: None,
            problem: None,
        }
    }
}

impl Outcome {
    fn take(&mut self, who: &Actor, decision: &Decision, visits: usize) {
        let happened = match &decision.whom {
            Whom::Fingerprint(ja4) if who.hello.as_ref().is_some_and(|own| own.ja4 == *ja4) => {
                &mut self.fingerprint
            }
            Whom::Network(net)
                if (0..who.count).any(|i| net.contains(&network::of(who.client(i)))) =>
            {
                &mut self.address
            }
            _ => return,
        };
        *happened = (*happened).max(decision.action.into());
        let is_stronger = |first: &Found| decision.action > first.decision.action;
        if self.first.as_ref().is_none_or(is_stronger) {
            let minutes = (decision.at_ms - START_MS) / MINUTE_MS;
            self.first = Some(Found { minutes, visits, decision: decision.clone() });
        }
    }

    fn checked(mut self, who: &Actor) -> Self {
        let minutes = self.first.as_ref().map_or(0, |first| first.minutes);
        let found = |what, happened: Expected, expected: Expected| {
            (happened != expected).then(|| format!("{what}: {happened:?} in place of {expected:?}"))
        };
        let late = who.within_minutes.filter(|within| minutes > *within);
        self.problem = found("address", self.address, who.expect)
            .or_else(|| found("fingerprint", self.fingerprint, who.expect_fingerprint))
            .or_else(|| late.map(|within| format!("after {minutes} minutes, not {within}")));
        self
    }
}

/// Any moment will do.
const START_MS: u64 = 1_700_000_000_000;

/// Cases come out the same each time.
const SECRET: u64 = 0x5eed;
