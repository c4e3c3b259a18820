//! What is demanded of the figures.

use super::figures::Played;
use crate::bench::Demand;

/// Requests that regulars may lose, in percent.
const LOST: f64 = 1.0;

/// New connections of known clients that have to succeed, in percent.
const SERVED: f64 = 95.0;

/// Beside every attack: with the guard; and with limits alone, if the sources are real.
pub(super) fn all(played: &[Played]) -> Vec<Demand> {
    let counts = |scene: &&Played| match scene.filter {
        "guard" => scene.attack != "no attack",
        "limits" => scene.attack.ends_with("source") || scene.attack.ends_with("sources"),
        _ => false,
    };
    played.iter().filter(counts).flat_map(demands).collect()
}

fn demands(scene: &Played) -> [Demand; 2] {
    let (lost, known) = (scene.lost(), scene.known());
    let name = |what: &str| format!("{}, {}: {what}", scene.filter, scene.attack);
    [
        Demand {
            demand: name("at most 1 % of requests lost"),
            measured: format!("{lost} %"),
            met: lost <= LOST,
        },
        Demand {
            demand: name("at least 95 % of known clients' connections served"),
            measured: format!("{known} %"),
            met: known >= SERVED,
        },
    ]
}
