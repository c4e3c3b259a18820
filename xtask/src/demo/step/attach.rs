//! The filter is on the interface, and nobody notices.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Stage, Step};
use crate::exec;
use crate::lab::{INTERFACE, Site, clients};

pub(super) const STEP: Step = Step {
    name: "clients-pass",
    title: "Clients pass",
    what: "The daemon has started with no list and no rule of ours, and has put its XDP program \
           on the edge's interface. curl asks the server for a page over TLS, from the office \
           and from elsewhere, over IPv4 and over IPv6.",
    promise: "Everybody is served, and every packet is counted.",
    play,
};

fn play(stage: &mut Stage) -> Result<String> {
    let program = program_on_interface()?.context("the kernel shows no program on eth0")?;
    let before = stage.filter.status()?;
    let attach = before.interfaces.iter().find(|interface| interface.name == INTERFACE);
    let attach = attach.with_context(|| format!("the daemon doesn't list {INTERFACE}"))?;
    ensure!(attach.attach == "native", "attached in {} mode, not natively", attach.attach);
    for (site, source) in clients() {
        stage.expect_page(site, &source)?;
    }
    let after = stage.filter.status()?;
    let passed = after.packets("pass") - before.packets("pass");
    ensure!(passed >= PACKETS_AT_LEAST, "only {passed} packets were counted");
    ensure!(after.packets("drop") == 0, "{} packets were dropped", after.packets("drop"));
    Ok(format!(
        "4 of 4 clients got the page; {passed} packets counted as passed, 0 dropped; \
         program {program} runs in native mode"
    ))
}

/// The id of the XDP program on the edge's interface, from the kernel itself.
pub(super) fn program_on_interface() -> Result<Option<u64>> {
    let shown = exec::stdout_of(Site::Edge.command("ip").args(["-j", "link", "show", INTERFACE]))?;
    let links: Value = serde_json::from_str(&shown).context("ip printed something else")?;
    Ok(links[0]["xdp"]["prog"]["id"].as_u64())
}

/// Four TLS connections: each sends at least a SYN, an ACK, a hello, a request and a FIN.
const PACKETS_AT_LEAST: u64 = 4 * 5;
