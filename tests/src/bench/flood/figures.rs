//! Figures of scenes.

use crate::bench::Measure;
use crate::flood::{Group, Outcome};
use anyhow::{Context, Result};

/// A scene that was played.
pub(super) struct Played {
    /// Which filter there was.
    pub(super) filter: &'static str,
    /// Which attack.
    pub(super) attack: &'static str,
    /// What became of everybody.
    pub(super) outcome: Outcome,
    /// Packets that the filter dropped.
    pub(super) refused: u64,
}

/// All figures of all scenes. The first scene is the undisturbed one.
///
/// # Errors
///
/// There is no scene.
pub(super) fn of(played: &[Played]) -> Result<Vec<Measure>> {
    let undisturbed = played.first().context("no scene")?.outcome.requests.answered;
    let each = played.iter().map(|scene| rows(scene, undisturbed));
    Ok(each.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn rows(scene: &Played, undisturbed: u32) -> Result<Vec<Measure>> {
    let Outcome { requests, newcomers, received, took } = scene.outcome;
    let ms = u64::try_from(took.as_millis())?.max(1);
    let rows = [
        ("frames received", number(received * 1000 / ms)?, "1/s"),
        ("frames refused", number(scene.refused * 1000 / ms)?, "1/s"),
        ("requests lost", scene.lost(), "%"),
        (
            "requests answered, against the undisturbed",
            percent(requests.answered, undisturbed),
            "%",
        ),
        (
            "answers within a second, the slowest of a hundred",
            number(requests.p99_us)? / 1000.0,
            "ms",
        ),
        ("connections of known clients", served(newcomers.known), "%"),
        ("connections of strangers", served(newcomers.strangers), "%"),
    ];
    let name = |what| format!("{}, {}: {what}", scene.filter, scene.attack);
    let row = |(what, value, unit)| Measure { measure: name(what), value, unit };
    Ok(rows.map(row).into())
}

impl Played {
    /// Requests on connections that were there before, without an answer in time, in percent.
    pub(super) fn lost(&self) -> f64 {
        percent(self.outcome.requests.lost(), self.outcome.requests.asked)
    }

    /// New connections of clients that had been served before the attack, in percent.
    pub(super) fn known(&self) -> f64 {
        served(self.outcome.newcomers.known)
    }
}

fn served(group: Group) -> f64 {
    percent(group.served, group.tried)
}

pub(super) fn percent(part: u32, whole: u32) -> f64 {
    (f64::from(part) * 10_000.0 / f64::from(whole.max(1))).round() / 100.0
}

fn number(value: u64) -> Result<f64> {
    Ok(f64::from(u32::try_from(value)?))
}
