//! Installs what is missing, and says so.

use anyhow::Result;

use crate::term;

mod apt;
mod debian;
mod linker;
mod services;
mod toolchain;

pub(crate) use apt::Apt;
pub(crate) use debian::{Need, install_if_possible};

/// All that any command needs.
pub(crate) fn everything() -> Result<()> {
    for_tests()?;
    term::status("set-up: everything is there");
    Ok(())
}

/// What a build of the daemon with its XDP program needs.
pub(crate) fn for_build() -> Result<()> {
    toolchain::install()?;
    linker::install()
}

/// What the demo's lab needs, the build included.
pub(crate) fn for_lab() -> Result<()> {
    for_build()?;
    debian::install(debian::LAB)
}

/// What the privileged tests need, the lab included.
pub(crate) fn for_tests() -> Result<()> {
    for_build()?;
    debian::install(&[debian::LAB, debian::CAPTURE, debian::TESTS].concat())
}

/// What the lab needs to hold what real clients say against a capture.
pub(crate) fn for_clients() -> Result<()> {
    for_build()?;
    debian::install(&[debian::LAB, debian::CAPTURE].concat())
}

/// What the lab needs for bots and visitors.
pub(crate) fn for_bots() -> Result<()> {
    for_build()?;
    debian::install(&[debian::LAB, debian::BOTS].concat())
}

/// What booting other kernels needs, the build included.
pub(crate) fn for_vm() -> Result<()> {
    for_build()?;
    debian::install(debian::VM)
}
