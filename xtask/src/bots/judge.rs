//! Whether each was treated as expected.

use std::collections::BTreeSet;
use std::process::ExitStatus;

use serde::Serialize;

use super::actor::{Actor, Effect, Expect};
use super::log::Asked;
use super::told::{Decision, Finding, Standing, Told};

/// What an actor did, and how it ended.
pub(super) struct Visit {
    pub(super) actor: &'static Actor,
    pub(super) addresses: Vec<String>,
    pub(super) asked: Asked,
    pub(super) ended: ExitStatus,
    /// The end of what it said.
    pub(super) said: String,
}

/// What came of an actor.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) actor: &'static str,
    pub(super) does: &'static str,
    pub(super) addresses: Vec<String>,
    /// Requests that the server has answered.
    pub(super) requests: usize,
    /// What its addresses were found to be.
    pub(super) classes: BTreeSet<String>,
    /// What says so, in its hellos and SYNs.
    pub(super) signals: Vec<Finding>,
    pub(super) fingerprints: BTreeSet<String>,
    pub(super) expected: Expect,
    /// The strongest that is in force against it.
    pub(super) effect: Effect,
    pub(super) decisions: Vec<Decision>,
    /// What speaks against it now, beyond what was decided.
    pub(super) standing: Standing,
    /// From its first answer to the first limit or block, in milliseconds.
    pub(super) decided_after_ms: Option<u64>,
    /// What isn't as expected.
    pub(super) problems: Vec<String>,
    /// How it ended, and the end of what it said.
    #[serde(skip)]
    pub(super) said: String,
}

impl Row {
    /// Judges what the daemon says of a visit.
    pub(super) fn new(visit: Visit, told: Told, first_decision_ms: Option<u64>) -> Self {
        let Visit { actor, addresses, asked, ended, said } = visit;
        let effect = told.strongest().map_or(Effect::Nothing, |strongest| strongest.action);
        let problems = problems(actor, &asked, ended, &told, effect);
        Self {
            actor: actor.name,
            does: actor.does,
            addresses,
            requests: asked.requests,
            classes: told.classes,
            signals: told.signals,
            fingerprints: told.fingerprints,
            expected: actor.expect,
            effect,
            decisions: told.decisions,
            standing: told.standing,
            decided_after_ms: first_decision_ms.map(|at_ms| at_ms.saturating_sub(asked.first_ms)),
            problems,
            said: format!("{ended}\n{said}"),
        }
    }

    /// Whether all is as expected.
    pub(super) fn holds(&self) -> bool {
        self.problems.is_empty()
    }
}

fn problems(
    actor: &Actor,
    asked: &Asked,
    ended: ExitStatus,
    told: &Told,
    effect: Effect,
) -> Vec<String> {
    let Expect { classes, least, most } = actor.expect;
    let mut problems = Vec::new();
    let is_other = |class: &&String| !classes.is_empty() && !classes.contains(&class.as_str());
    problems.extend(told.classes.iter().find(is_other).map(|class| format!("it is no {class}")));
    if told.classes.is_empty() {
        problems.push("nothing is known of its hellos".to_owned());
    }
    if asked.requests == 0 {
        problems.push("the server has answered nothing".to_owned());
    }
    if effect < least || effect > most {
        problems.push(format!("what follows is {}", effect.name()));
    }
    if actor.expect.is_visitor() {
        let hurt = told.effects.iter().find(|effect| *effect != "pass");
        problems.extend(hurt.map(|effect| format!("its packets: {effect}")));
        problems.extend((!ended.success()).then(|| format!("it ended with {ended}")));
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::super::actor::ALL;
    use super::*;

    fn found(name: &str, class: &str, effect: Effect, code: i32) -> Vec<String> {
        let actor = ALL.iter().find(|actor| actor.name == name).unwrap();
        let mut told = Told::default();
        told.classes.insert(class.to_owned());
        told.effects.insert("pass".to_owned());
        let asked = Asked { first_ms: 1, requests: 1 };
        problems(actor, &asked, ExitStatus::from_raw(code << 8), &told, effect)
    }

    #[test]
    fn a_bot_has_to_be_limited_at_least_and_needn_t_get_through() {
        let scraper = |class, effect| found("curl_cffi as an old Chrome", class, effect, 1);
        assert!(scraper("impersonator", Effect::Limit).is_empty());
        assert_eq!(scraper("unknown", Effect::Watch), ["what follows is watch"]);
        assert_eq!(scraper("browser", Effect::Block), ["it is no browser"]);
    }

    #[test]
    fn a_visitor_has_to_get_through_unhurt() {
        assert!(found("curl by a timer", "library", Effect::Watch, 0).is_empty());
        assert_eq!(found("curl by a timer", "library", Effect::Limit, 0).len(), 1);
        assert_eq!(found("Chromium", "browser", Effect::Nothing, 1).len(), 1);
        assert_eq!(found("Chromium", "browser", Effect::Watch, 0), ["what follows is watch"]);
    }
}
