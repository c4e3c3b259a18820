//! What is demanded of the figures, and whether it holds.

use super::filter::UNLIMITED;
use crate::bench::{Case, Demand};

/// All of it.
pub(super) fn all(cases: &[Case]) -> Vec<Demand> {
    let ns = |name: &str| cases.iter().find(|case| case.case == name).map_or(f64::NAN, |c| c.ns);
    let mut all = Vec::new();
    for prefix in ["", "v6/"] {
        for ours in ["ours", "ours-precise"] {
            let [ours_ns, hash_ns, none_ns] =
                [ours, "lru_hash", "none"].map(|meter| ns(&format!("{prefix}random/{meter}")));
            let times = hash_ns / ours_ns;
            let alone = (hash_ns - none_ns) / (ours_ns - none_ns).max(0.1);
            all.push(demand(
                format!("{prefix}random/{ours}: at least 4 times as fast as the LRU hash"),
                format!("{times:.1} times; metering alone {alone:.1}"),
                times >= 4.0,
            ));
        }
    }
    for case in ["repeat/filter", "repeat/filter-precise", "repeat/filter-built-in"] {
        let over = ns(case) - ns(UNLIMITED);
        let name = format!("{case}: at most 50 ns more than without limits");
        all.push(demand(name, format!("{over:.1} ns"), over <= 50.0));
    }
    all
}

/// A figure that wasn't measured meets nothing.
fn demand(demand: String, measured: String, met: bool) -> Demand {
    Demand { demand, measured, met }
}
