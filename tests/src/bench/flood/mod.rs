//! What legitimate clients lose beside an attack: without a filter, with limits for each
//! client, and with guards for each service.
//!
//! Each scene is played once: what it shows are shares of thousands of requests.

mod demand;
mod figures;

use super::Measured;
use crate::flood::{Attack, Outcome, Site};
use crate::lab::Daemon;
use crate::{limit, output};
use anyhow::{Context, Result};
use figures::Played;

/// Plays every attack, and none, beside each filter.
///
/// # Errors
///
/// The lab's, the daemon's or the kernel's.
pub(super) fn measure(_rounds: usize) -> Result<Measured> {
    let mut site = Site::set_up()?;
    let mut played = scenes(&mut site, "off", None)?;
    let daemon = site.at_server(|lab| Daemon::start(lab, CONFIG))?;
    LIMITS.iter().try_for_each(|limit| limit::set(&daemon, limit).map(drop))?;
    played.extend(scenes(&mut site, "limits", Some(&daemon))?);
    GUARDS.iter().try_for_each(|limit| limit::set(&daemon, limit).map(drop))?;
    played.extend(scenes(&mut site, "guard", Some(&daemon))?);
    let measures = figures::of(&played)?;
    Ok(Measured { measures, demands: demand::all(&played), ..Measured::default() })
}

fn scenes(site: &mut Site, filter: &'static str, daemon: Option<&Daemon>) -> Result<Vec<Played>> {
    let attacks = Attack::all().map(Some);
    let each = [None].into_iter().chain(attacks);
    let play = |attack: Option<Attack>| {
        let name = attack.as_ref().map_or("no attack", |attack| attack.name);
        output::progress(&format!("filter {filter}, {name}"));
        let before = refused(daemon)?;
        let waves = attack.as_ref().map(|attack| &attack.wave);
        let outcome: Outcome = site.play(waves.as_slice(), SECONDS)?;
        Ok(Played { filter, attack: name, outcome, refused: refused(daemon)? - before })
    };
    each.map(play).collect()
}

/// Packets that the filter has dropped.
fn refused(daemon: Option<&Daemon>) -> Result<u64> {
    let Some(daemon) = daemon else {
        return Ok(0);
    };
    let status = daemon.json(&["status"])?;
    let rows = status["counters"].as_array().context("no counters")?;
    let drops = rows.iter().filter(|row| row["verdict"] == "drop");
    Ok(drops.filter_map(|row| row["packets"].as_u64()).sum())
}

/// Seconds in which new connections come.
const SECONDS: u32 = 5;

const CONFIG: &str = "mode = \"enforce\"\n";

/// Of each client. The regulars come from one address: a thousand requests a second on three
/// hundred connections.
const LIMITS: [&str; 2] =
    ["packets --rate 10000/s --burst 20000", "connections --rate 50/s --burst 400"];

/// Of each service.
const GUARDS: [&str; 3] = [
    "syn-guard --unit connections --rate 1000/s --burst 2000 --key service --service tcp --guard on",
    "ack-guard --unit packets --rate 50000/s --burst 100000 --key service --service tcp --guard on",
    "udp-guard --unit packets --rate 1000/s --burst 2000 --key service --service udp --guard on",
];
