//! The filter's own implementation for the host, for want of another one.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Hello;
use crate::exec;

/// The part of a row of `palisade --json fingerprint pcap` that matters here.
#[derive(Deserialize)]
struct Row {
    src: String,
    ja4: Option<String>,
    ja3: Option<String>,
    segments: u32,
}

/// Every hello that has a fingerprint.
pub(super) fn hellos(programs: &Path, capture: &Path) -> Result<Vec<Hello>> {
    let mut palisade = exec::command(programs.join("palisade"));
    palisade.args(["--json", "fingerprint", "pcap"]).arg(capture);
    read(&exec::stdout_of(&mut palisade)?)
}

/// A hello that this engine can't put together has no row: the filter's word on it is
/// then a difference.
fn read(lines: &str) -> Result<Vec<Hello>> {
    let mut hellos = Vec::new();
    for line in lines.lines() {
        let row: Row =
            serde_json::from_str(line).with_context(|| format!("palisade said {line:?}"))?;
        if let (Some(ja4), Some(ja3)) = (row.ja4, row.ja3) {
            let (client, segments) = (row.src, row.segments);
            hellos.push(Hello { client, ja4, ja3, segments, grease_removed: false });
        }
    }
    Ok(hellos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_a_fingerprint_are_hellos() {
        let row = r#"{"src":"203.0.113.11","ja4":"t13_a_b","ja3":"c","segments":3,"cause":null}"#;
        let none = r#"{"src":"203.0.113.11","ja4":null,"ja3":null,"segments":1,"cause":"gap"}"#;
        let hellos = read(&format!("{row}\n{none}\n")).unwrap();
        assert_eq!(hellos.len(), 1);
        assert_eq!((hellos[0].ja4.as_str(), hellos[0].segments), ("t13_a_b", 3));
    }

    #[test]
    fn other_lines_are_refused() {
        assert!(read("no daemon\n").is_err());
    }
}
