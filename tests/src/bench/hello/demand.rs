//! What hellos may cost.

use crate::bench::{Case, Demand};

/// All demands, and whether they are met. What is held against them is the least of the
/// rounds: what a hello takes when nothing else on the machine is in the way.
pub(super) fn all(cases: &[Case]) -> Vec<Demand> {
    let least = |name: &str| {
        cases.iter().find(|case| case.case == name).map_or(f64::INFINITY, |case| case.least_ns)
    };
    let at_most = |name: &str, most: f64, what: &str| Demand {
        demand: format!("{what}: at most {most} us"),
        measured: format!("{:.2} us", least(name) / 1000.0),
        met: least(name) <= most * 1000.0,
    };
    let more = least("data/tls_on") - least("data/tls_off");
    vec![
        at_most("2seg/miss", 6.0, "a browser's hello in two segments, not known"),
        at_most("2seg/hit", 1.2, "the same, known"),
        at_most("worst", 40.0, "the hello that takes longest"),
        Demand {
            demand: "a data packet pays at most 10 ns for fingerprints".into(),
            measured: format!("{more:.1} ns"),
            met: more <= 10.0,
        },
    ]
}
