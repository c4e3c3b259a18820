//! What clients need before the lab is: built programs and a virtual environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::kind::{Build, Kind};
use crate::{exec, progress, workspace};

/// The folder of what is made for clients.
///
/// # Errors
///
/// If it can't be made.
pub(crate) fn folder() -> Result<PathBuf> {
    let folder = workspace::root().join("target/clients");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Builds what a client needs, unless it is there; its packages have been installed if
/// they can be.
///
/// # Errors
///
/// If a package isn't there, naming it, or the build fails: then this client is skipped.
pub(super) fn prepare(kind: &Kind, folder: &Path) -> Result<()> {
    if let Some(need) = kind.needs.iter().find(|need| !need.is_met()) {
        bail!("needs the package {}, which isn't there", need.package());
    }
    match kind.build {
        Build::Nothing => Ok(()),
        Build::Source { file, text, line } => {
            fs::write(folder.join(file), text)?;
            let mut shell = exec::command("sh");
            shell.current_dir(folder).env("TOOLS", folder).args(["-ec", line]);
            in_time(&format!("building {}", kind.name), &shell)
        }
        Build::Pypi { package, module } => install(folder, package, module),
    }
}

/// Installs a package from `PyPI` into the virtual environment, unless it is there.
///
/// # Errors
///
/// If it can't be had.
pub(crate) fn install(folder: &Path, package: &str, module: &str) -> Result<()> {
    let environment = folder.join("venv");
    let python = environment.join("bin/python");
    let import = format!("import {module}");
    if exec::succeeds(exec::command(&python).args(["-c", &import])) {
        return Ok(());
    }
    if !exec::succeeds(exec::command(&python).args(["-m", "pip", "--version"])) {
        let mut make = exec::command("/usr/bin/python3");
        make.args(["-m", "venv", "--clear"]).arg(&environment);
        in_time("making a virtual environment", &make)?;
    }
    let mut pip = exec::command(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]);
    in_time(&format!("installing {package}"), &pip)
}

/// Runs a command that may wait for a network.
fn in_time(name: &str, command: &Command) -> Result<()> {
    let mut limited = exec::command("timeout");
    limited.args(["-k", "5", PATIENCE_S]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        limited.env(name, value.context("a build hides no variable")?);
    }
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    progress::quietly(name, &mut limited)?;
    Ok(())
}

/// A package from `PyPI` takes seconds, and the first build with Go half a minute.
const PATIENCE_S: &str = "300";
