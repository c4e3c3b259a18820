//! Builds the XDP program and leaves its objects in `OUT_DIR`, to be embedded.

use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const TARGET: &str = "bpfel-unknown-none";
const OBJECTS: [&str; 6] =
    ["palisade-xdp", "baseline-xdp", "lookup-xdp", "limit-xdp", "feed-xdp", "flood-xdp"];

/// `v3` has 32-bit arithmetic, without which bounds checks land on other registers than
/// the accesses they guard; `--btf` names the types for `bpftool`.
const RUSTFLAGS: [&str; 3] = ["-Ctarget-cpu=v3", "-Cdebuginfo=2", "-Clink-arg=--btf"];

fn main() -> Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for input in ["filter-ebpf", "filter-common", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={}", workspace.join(input).display());
    }
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").context("OUT_DIR isn't set")?);
    let target_dir = out_dir.join("ebpf");
    build(&workspace, &target_dir)?;
    for object in OBJECTS {
        let built = target_dir.join(TARGET).join("release").join(object);
        fs::copy(&built, out_dir.join(object))
            .with_context(|| format!("no object at {}", built.display()))?;
    }
    Ok(())
}

fn build(workspace: &Path, target_dir: &Path) -> Result<()> {
    let mut cargo = Command::new(env::var_os("CARGO").context("CARGO isn't set")?);
    cargo
        .current_dir(workspace)
        .args(["build", "--package", "filter-ebpf", "--bins", "--release", "--locked"])
        .args(["--target", TARGET, "-Z", "build-std=core"])
        .arg("--target-dir")
        .arg(target_dir)
        // The BPF target has no prebuilt core; building it needs an unstable flag.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS.join("\x1f"))
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("RUSTC_WRAPPER");
    if env::var_os("CARGO_FEATURE_LOG").is_some() {
        cargo.args(["--features", "log"]);
    }
    let status = cargo.status().context("cargo could not be started")?;
    ensure!(
        status.success(),
        "the XDP program could not be built; `cargo xtask setup` installs what it needs"
    );
    Ok(())
}
