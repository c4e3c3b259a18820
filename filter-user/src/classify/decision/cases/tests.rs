//! The scenarios that the product promises, and what is said about cases that fail.

use super::*;

fn cases(text: &str) -> Cases {
    toml::from_str(text).unwrap()
}

fn policy() -> Policy {
    let policy: Policy = toml::from_str(include_str!("policy.toml")).unwrap();
    policy.check().unwrap();
    policy
}

#[test]
fn every_scenario_comes_out_as_promised() {
    let outcomes = cases(include_str!("scenarios.toml")).play(&policy()).unwrap();
    for outcome in &outcomes {
        let (address, fingerprint) = (outcome.address, outcome.fingerprint);
        println!("{} / {}: {address:?}, fingerprint {fingerprint:?}", outcome.case, outcome.actor);
        if let Some(Found { minutes, visits, decision }) = &outcome.first {
            println!("    {minutes} min, {visits} visits: {} {}", decision.whom, decision.reason());
        }
    }
    let problems = outcomes.iter().filter_map(|outcome| {
        Some(format!("{} / {}: {}", outcome.case, outcome.actor, outcome.problem.as_ref()?))
    });
    assert_eq!(problems.collect::<Vec<_>>(), [""; 0]);
}

const PROBE: &str = r#"
    [[case]]
    name = "probe"
    [[case.actor]]
    name = "probe"
    from = "192.0.2.1"
    every_seconds = 60
    minutes = 60
    visits = [{ path = "/" }]
"#;

#[test]
fn what_is_not_as_expected_is_said() {
    let wrong = cases(&format!("{PROBE}\nexpect = \"block\""));
    let outcomes = wrong.play(&Policy::default()).unwrap();
    assert_eq!(outcomes[0].problem.as_deref(), Some("address: Nothing in place of Block"));
}

#[test]
fn a_case_without_an_end_is_refused() {
    let long = cases(&PROBE.replace("minutes = 60", "minutes = 100000000"));
    assert!(long.play(&Policy::default()).is_err());
}
