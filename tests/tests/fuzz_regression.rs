//! Each input that once failed, and some that look as if they could.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use tests::fuzz::{self, TARGETS};
use tests::require_privileges;

fn inputs(target: &str) -> Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(target);
    let entries = fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))?;
    let mut paths: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.sort();
    ensure!(!paths.is_empty(), "no inputs for {target}");
    Ok(paths)
}

fn replay(target: &str) -> Result<()> {
    let entry = TARGETS.iter().find(|entry| entry.name == target).context("no such target")?;
    let mut opened = (entry.open)()?;
    for path in inputs(target)? {
        let input = fuzz::unhex(&fs::read_to_string(&path)?)?;
        fuzz::feed(opened.as_mut(), &input).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

#[test]
fn frames_that_once_failed_hold() -> Result<()> {
    require_privileges!();
    replay("frame")
}

#[test]
fn hellos_that_once_failed_hold() -> Result<()> {
    replay("hello")
}

#[test]
fn streams_that_once_failed_hold() -> Result<()> {
    require_privileges!();
    replay("stream")
}

#[test]
fn policies_that_once_failed_hold() -> Result<()> {
    require_privileges!();
    replay("policy")
}
