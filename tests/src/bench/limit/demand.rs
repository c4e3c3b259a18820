//! What is demanded of the figures, and whether it holds.
//!
//! Each case counts with its quickest round. A busy neighbour on the same core takes as much
//! as a program does, and comes and goes within a run: medians say as much of him. They are
//! told beside it.

use super::filter::UNLIMITED;
use crate::bench::measure::tenths;
use crate::bench::{Case, Demand, Measure};

/// All of it. What is demanded of a limit holds where the coarse clock does, as it does for
/// every burst of a second and more; [`clock`] is what the precise one adds.
pub(super) fn all(cases: &[Case]) -> Vec<Demand> {
    let random = ["", "v6/"].map(|prefix| {
        let [ours, hash] =
            ["ours", "lru_hash"].map(|meter| figures(cases, &format!("{prefix}random/{meter}")));
        let [times, medians] = [hash.least_ns / ours.least_ns, hash.ns / ours.ns];
        Demand {
            demand: format!("{prefix}random/ours: at least 4 times as fast as the LRU hash"),
            measured: format!("{times:.1} times; by medians {medians:.1}"),
            met: times >= 4.0,
        }
    });
    let repeat = ["repeat/filter", "repeat/filter-built-in"].map(|case| {
        let [with, without] = [case, UNLIMITED].map(|name| figures(cases, name));
        let [over, medians] = [with.least_ns - without.least_ns, with.ns - without.ns];
        Demand {
            demand: format!("{case}: at most 50 ns more than without limits"),
            measured: format!("{over:.1} ns; by medians {medians:.1}"),
            met: over <= 50.0,
        }
    });
    random.into_iter().chain(repeat).collect()
}

/// What a limit costs whose burst is too short for the coarse clock, and how much of that is
/// the clock.
pub(super) fn clock(cases: &[Case]) -> [Measure; 2] {
    let over = |case, other| figures(cases, case).least_ns - figures(cases, other).least_ns;
    [
        ("repeat/filter-precise, over no limits", over("repeat/filter-precise", UNLIMITED)),
        ("of that the precise clock", over("repeat/ours-precise", "repeat/ours")),
    ]
    .map(|(measure, ns)| Measure {
        measure: measure.to_owned(),
        value: tenths(ns),
        unit: "ns",
    })
}

struct Figures {
    ns: f64,
    least_ns: f64,
}

/// What wasn't measured meets nothing.
fn figures(cases: &[Case], name: &str) -> Figures {
    let found = cases.iter().find(|case| case.case == name);
    found.map_or(Figures { ns: f64::NAN, least_ns: f64::NAN }, |case| Figures {
        ns: case.ns,
        least_ns: case.least_ns,
    })
}
