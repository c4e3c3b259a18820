//! What is demanded of the figures, and whether it holds.

use super::figures::{LONGEST_STEP, MEMORY};
use crate::bench::{Case, Demand, Measure};

/// All of it.
pub(super) fn all(cases: &[Case], measures: &[Measure]) -> Vec<Demand> {
    let ns = |name: &str| cases.iter().find(|case| case.case == name).map_or(f64::NAN, |c| c.ns);
    let mut all = Vec::new();
    for family in ["v4", "v6"] {
        let of = |size: &str, pattern: &str, look_up: &str| {
            ns(&format!("{family}/{size}/{pattern}/{look_up}"))
        };
        let faster = |size: &str, pattern: &str, times: f64| {
            let (ours, trie) = (of(size, pattern, "ours"), of("full", pattern, "lpm_trie"));
            let none = of("full", pattern, "none");
            let alone = (trie - none) / (ours - none).max(0.1);
            demand(
                format!("{family}/{size}/{pattern}: at least {times} times as fast as the trie"),
                format!("{:.1} times; look-up alone {alone:.1}", trie / ours),
                trie / ours >= times,
            )
        };
        for size in ["full", "full-16lists"] {
            all.push(faster(size, "covered", 8.0));
            all.push(faster(size, "random", if family == "v4" { 6.0 } else { 1.0 }));
        }
        for size in ["1k", "100k", "full"] {
            let over = of(size, "repeat", "ours") - of(size, "repeat", "none");
            let name = format!("{family}/{size}/repeat: at most 25 ns more than no look-up");
            all.push(demand(name, format!("{over:.1} ns"), over <= 25.0));
        }
        for pattern in ["repeat", "64k", "random", "covered"] {
            for dealt in ["", "-16lists"] {
                let [small, full] = ["100k", "full"].map(|size| format!("{size}{dealt}"));
                let times = of(&full, pattern, "ours") / of(&small, pattern, "ours");
                let name = format!("{family}/{full}/{pattern}: at most twice as much as {small}");
                all.push(demand(name, format!("{times:.2} times"), times <= 2.0));
            }
        }
        for size in ["full", "full-16lists"] {
            let times = of("adversarial", "covered", "ours") / of(size, "covered", "ours");
            let name =
                format!("{family}/adversarial/covered: at most three times as much as {size}");
            all.push(demand(name, format!("{times:.2} times"), times <= 3.0));
        }
    }
    let value_of = |name| measures.iter().find(|m| m.measure == name).map_or(f64::NAN, |m| m.value);
    let memory = value_of(MEMORY);
    all.push(demand(
        "both full tables: at most 32 MB".into(),
        format!("{memory:.1} MiB"),
        memory <= 30.5,
    ));
    let step = value_of(LONGEST_STEP);
    let name = "no step of an install holds a CPU in the kernel for more than 20 ms".into();
    all.push(demand(name, format!("{step:.1} ms"), step <= 20.0));
    all
}

/// A figure that wasn't measured meets nothing.
fn demand(demand: String, measured: String, met: bool) -> Demand {
    Demand { demand, measured, met }
}
