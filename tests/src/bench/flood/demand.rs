//! What is demanded of the figures.

use super::figures::{Played, percent};
use crate::bench::Demand;

/// Requests that regulars may lose, in percent.
const LOST: f64 = 1.0;

/// New connections of known clients that have to succeed, in percent.
const SERVED: f64 = 95.0;

/// Of the requests of a scene without an attack and filter, in percent: who asks again only
/// after an answer loses nothing when all answers are late. A scene that ends a moment sooner
/// has a round less, which is five.
const ANSWERED: f64 = 90.0;

/// Beside every attack: with the guard; and with limits alone, if the sources are real.
pub(super) fn all(played: &[Played]) -> Vec<Demand> {
    let counts = |scene: &&Played| match scene.filter {
        "guard" => scene.attack != "no attack",
        "limits" => scene.attack.ends_with("source") || scene.attack.ends_with("sources"),
        _ => false,
    };
    let undisturbed = played.first().map_or(0, |scene| scene.outcome.requests.answered);
    played.iter().filter(counts).flat_map(|scene| demands(scene, undisturbed)).collect()
}

fn demands(scene: &Played, undisturbed: u32) -> [Demand; 3] {
    let (lost, known) = (scene.lost(), scene.known());
    let answered = percent(scene.outcome.requests.answered, undisturbed);
    let demand = |what: &str, measured: f64, met| Demand {
        demand: format!("{}, {}: {what}", scene.filter, scene.attack),
        measured: format!("{measured} %"),
        met,
    };
    [
        demand("at most 1 % of requests lost", lost, lost <= LOST),
        demand("at least 90 % of the undisturbed answered", answered, answered >= ANSWERED),
        demand("at least 95 % of known clients' connections served", known, known >= SERVED),
    ]
}
