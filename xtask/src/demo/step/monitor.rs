//! Monitor mode first, then the real thing.

use anyhow::{Result, ensure};

use super::{BLOCKED_PREFIX, Stage, Step, rise};
use crate::lab::{Site, elsewhere, host};

pub(super) const STEP: Step = Step {
    name: "monitor-then-enforce",
    title: "Monitor mode only counts; enforce mode bites",
    what: "A new installation is in monitor mode. A prefix is put on the blocklist, and a client \
           in it asks for a page; then the mode is switched to enforce, and it asks again.",
    promise: "In monitor mode nothing is dropped, but counted as would-drop. In enforce mode \
              the same client hears nothing.",
    play,
};

fn play(stage: &mut Stage) -> Result<String> {
    let would_drop = only_counts(stage)?;
    let dropped = bites(stage)?;
    stage.filter.run(&["block", "del", BLOCKED_PREFIX])?;
    stage.expect_page(Site::Elsewhere, &elsewhere(host::BLOCKED))?;
    Ok(format!(
        "monitor: page served, {would_drop} packets counted as would-drop, 0 dropped; \
         enforce: silence, {dropped} packets dropped; off the list: served again"
    ))
}

fn only_counts(stage: &Stage) -> Result<u64> {
    let before = stage.filter.status()?;
    ensure!(before.mode == "monitor", "the daemon started in mode {}", before.mode);
    stage.filter.run(&["block", "add", BLOCKED_PREFIX, "--comment", "the demo"])?;
    stage.expect_page(Site::Elsewhere, &elsewhere(host::BLOCKED))?;
    let after = stage.filter.status()?;
    ensure!(after.packets("drop") == 0, "monitor mode dropped {}", after.packets("drop"));
    rise(&before, &after, "would-drop", "blocklist")
}

fn bites(stage: &Stage) -> Result<u64> {
    stage.filter.run(&["mode", "enforce"])?;
    let before = stage.filter.status()?;
    ensure!(before.mode == "enforce", "the mode is still {}", before.mode);
    stage.expect_silence(Site::Elsewhere, &elsewhere(host::BLOCKED))?;
    rise(&before, &stage.filter.status()?, "drop", "blocklist")
}
