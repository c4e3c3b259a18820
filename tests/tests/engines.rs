//! The two engines of `palisade fingerprint pcap` say the same.

use anyhow::{Context, Result, ensure};
use filter_user::capture::{self, EngineKind};
use std::path::PathBuf;
use tests::require_privileges;

/// Every capture of a folder of the corpus.
fn captures(folder: &str) -> Result<Vec<PathBuf>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(folder);
    let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let paths: std::io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths?;
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "pcap"));
    paths.sort();
    Ok(paths)
}

fn rows(files: &[PathBuf], engine: EngineKind) -> Result<String> {
    let mut out = Vec::new();
    let summary = capture::run(files, engine, true, &mut out)?;
    ensure!(summary.failures.is_empty(), "{:?}", summary.failures);
    Ok(String::from_utf8(out)?)
}

#[test]
fn host_and_kernel_print_the_same_rows_for_the_whole_corpus() -> Result<()> {
    require_privileges!();
    for (folder, hellos) in [("hellos", 213), ("evasion", 38), ("quic", 10)] {
        let files = captures(folder)?;
        let host = rows(&files, EngineKind::Host)?;
        ensure!(host.lines().count() == hellos, "{folder}: {} rows", host.lines().count());
        ensure!(host == rows(&files, EngineKind::Kernel)?, "{folder}: the engines disagree");
    }
    Ok(())
}
