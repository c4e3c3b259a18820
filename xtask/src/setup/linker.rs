//! The linker that turns LLVM bitcode into a BPF object.

use anyhow::{Result, bail};

use crate::{exec, progress, term, workspace};

/// Installs the linker, unless the right version is there.
///
/// Another version that the user has stays: ours then goes to the workspace's own tools.
///
/// # Errors
///
/// If Cargo can't install it, or can't find it afterwards.
pub(crate) fn install() -> Result<()> {
    let own = workspace::tools().join("bin/bpf-linker");
    let users = version_of(PROGRAM.as_ref());
    if version_of(own.as_os_str()).as_deref() == Some(VERSION) || users.as_deref() == Some(VERSION)
    {
        return Ok(());
    }
    let mut cargo = workspace::cargo();
    cargo.args(["install", PROGRAM, "--version", VERSION, "--locked", "--force"]);
    if let Some(other) = &users {
        let tools = workspace::tools();
        term::status(&format!(
            "set-up: bpf-linker {other} stays as it is; {VERSION} goes to {}, \
             and `cargo xtask` uses it there",
            tools.display()
        ));
        cargo.arg("--root").arg(tools);
    }
    let name = format!("set-up: installing bpf-linker {VERSION} (about a minute)");
    progress::quietly(&name, &mut cargo)?;
    if users.is_none() && version_of(PROGRAM.as_ref()).is_none() {
        bail!("bpf-linker is installed, but not on the path: add Cargo's bin folder to PATH");
    }
    Ok(())
}

fn version_of(program: &std::ffi::OsStr) -> Option<String> {
    let said = exec::stdout_of(exec::command(program).arg("--version")).ok()?;
    said.split_whitespace().nth(1).map(str::to_owned)
}

const PROGRAM: &str = "bpf-linker";

/// The last version that reads the bitcode of the pinned compiler with the compiler's own
/// LLVM; later ones want a system LLVM.
const VERSION: &str = "0.10.3";
