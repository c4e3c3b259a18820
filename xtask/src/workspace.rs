//! Where the workspace is, and Cargo's commands in it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{exec, progress};

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Tools that only this workspace's builds use, because the user has another version.
pub(crate) fn tools() -> PathBuf {
    root().join("target/tools")
}

/// Cargo at the workspace's root, with the BPF linker that the toolchain needs.
pub(crate) fn cargo() -> Command {
    let mut cargo = exec::command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    let linker = tools().join("bin/bpf-linker");
    if linker.exists() {
        cargo.env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", linker);
    }
    cargo
}

/// An executable that Cargo built.
pub(crate) struct Executable {
    /// Name of the target, `palisaded` for instance.
    pub(crate) name: String,
    /// `bin`, `lib`, `test`, ...
    pub(crate) kind: String,
    /// Folder of the package it belongs to.
    pub(crate) package: PathBuf,
    /// The file itself.
    pub(crate) path: PathBuf,
}

/// Builds with Cargo's `arguments` and lists the executables.
///
/// # Errors
///
/// If the build fails; the message has the compiler's.
pub(crate) fn build(name: &str, arguments: &[&str]) -> Result<Vec<Executable>> {
    let mut cargo = cargo();
    cargo.args(arguments).arg("--message-format=json-render-diagnostics");
    let messages = progress::quietly(name, &mut cargo)?;
    Ok(messages.lines().filter_map(executable).collect())
}

/// Builds one program of the package `tests`.
pub(crate) fn build_test_program(program: &str) -> Result<PathBuf> {
    let arguments = ["build", "--release", "-p", "tests", "--bin", program];
    let built = build(&format!("building {program}"), &arguments)?;
    path_of(program, built)
}

/// Builds daemon and command line and gives the folder that holds both.
pub(crate) fn build_palisade(profile: &str) -> Result<PathBuf> {
    let arguments = ["build", "-p", "filter-user", "--bins", "--profile", profile];
    let built = build("building palisaded and palisade", &arguments)?;
    let daemon = path_of("palisaded", built)?;
    let folder = daemon.parent().context("palisaded has no folder")?;
    Ok(folder.to_owned())
}

fn path_of(name: &str, built: Vec<Executable>) -> Result<PathBuf> {
    let found = built.into_iter().find(|program| program.name == name);
    let found = found.with_context(|| format!("cargo built no {name}"))?;
    Ok(found.path)
}

fn executable(message: &str) -> Option<Executable> {
    let artifact: Artifact = serde_json::from_str(message).ok()?;
    Some(Executable {
        name: artifact.target.name,
        kind: artifact.target.kind.into_iter().next()?,
        package: artifact.manifest_path.parent()?.to_owned(),
        path: artifact.executable?,
    })
}

/// The part of Cargo's `compiler-artifact` message that matters here.
#[derive(Deserialize)]
struct Artifact {
    manifest_path: PathBuf,
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_with_an_executable_is_found() {
        let message = r#"{"reason":"compiler-artifact","manifest_path":"/w/tests/Cargo.toml",
            "target":{"name":"pass","kind":["test"]},"executable":"/t/pass-1"}"#;
        let found = executable(message).unwrap();
        assert_eq!((found.name.as_str(), found.kind.as_str()), ("pass", "test"));
        assert_eq!(found.package, Path::new("/w/tests"));
    }

    #[test]
    fn libraries_and_other_messages_are_not_executables() {
        let library = r#"{"manifest_path":"/w/Cargo.toml","target":{"name":"x","kind":["lib"]},"executable":null}"#;
        assert!(executable(library).is_none());
        assert!(executable(r#"{"reason":"build-finished","success":true}"#).is_none());
        assert!(executable("plain text").is_none());
    }
}
