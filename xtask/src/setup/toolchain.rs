//! Components of the compiler that `rust-toolchain.toml` names.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::{exec, progress, workspace};

/// Adds the components that the pinned toolchain lacks.
///
/// # Errors
///
/// If there is neither rustup nor a toolchain with the standard library's source.
pub(crate) fn install() -> Result<()> {
    if exec::find("rustup").is_none() {
        return check_without_rustup();
    }
    let toolchain = pinned()?;
    let installed = exec::stdout_of(
        exec::command("rustup")
            .args(["component", "list", "--installed"])
            .args(["--toolchain", &toolchain]),
    )?;
    let missing = missing(&installed);
    if missing.is_empty() {
        return Ok(());
    }
    let name = format!("set-up: adding {} to Rust {toolchain}", missing.join(", "));
    let mut rustup = exec::command("rustup");
    rustup.args(["component", "add", "--toolchain", &toolchain]).args(missing);
    progress::quietly(&name, &mut rustup)?;
    Ok(())
}

fn pinned() -> Result<String> {
    let file = workspace::root().join("rust-toolchain.toml");
    let text =
        fs::read_to_string(&file).with_context(|| format!("can't read {}", file.display()))?;
    channel(&text).with_context(|| format!("{} names no channel", file.display()))
}

fn channel(text: &str) -> Option<String> {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.trim().strip_prefix("channel = "))?;
    Some(value.trim_matches('"').to_owned())
}

/// rustup lists `clippy-x86_64-unknown-linux-gnu`, but `rust-src`.
fn missing(installed: &str) -> Vec<&'static str> {
    let has = |component: &str| {
        let mut names = installed.lines().filter_map(|line| line.strip_prefix(component));
        names.any(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    COMPONENTS.into_iter().filter(|component| !has(component)).collect()
}

fn check_without_rustup() -> Result<()> {
    let sysroot = exec::stdout_of(exec::command("rustc").args(["--print", "sysroot"]))?;
    let source = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/core");
    if source.exists() {
        return Ok(());
    }
    bail!(
        "the compiler has no source of its core library, which the BPF target is built from: \
         install rustup (https://rustup.rs), which reads rust-toolchain.toml"
    )
}

/// The BPF target has no ready-made core library: it is built from `rust-src`.
const COMPONENTS: [&str; 3] = ["clippy", "rust-src", "rustfmt"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_is_read() {
        let text = "# why\n[toolchain]\nchannel = \"1.95.0\"\n";
        assert_eq!(channel(text).as_deref(), Some("1.95.0"));
        assert_eq!(channel("[toolchain]\n"), None);
    }

    #[test]
    fn components_are_known_with_and_without_their_host() {
        assert!(missing("clippy-x86_64-unknown-linux-gnu\nrust-src\nrustfmt-x86_64\n").is_empty());
        assert_eq!(missing("rust-std-x86_64\nclippy-x\n"), ["rust-src", "rustfmt"]);
    }
}
