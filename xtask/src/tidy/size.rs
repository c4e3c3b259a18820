//! How long files may get, and what modules may not be called.

use super::{File, Finding};

/// Finds files that have grown past what one idea needs.
pub(super) fn too_long(file: &File) -> Vec<Finding> {
    if !file.is_a("rs") {
        return Vec::new();
    }
    let lines = file.text.lines().count();
    let limit = limit(&file.path);
    let over = |most: usize| format!("{lines} lines, at most {most}: split it by idea");
    if lines > limit {
        vec![Finding::new(file, lines, over(limit))]
    } else if lines > MUCH {
        vec![Finding::warning(file, lines, over(MUCH))]
    } else {
        Vec::new()
    }
}

/// Finds modules whose name says nothing.
pub(super) fn vague_module(file: &File) -> Vec<Finding> {
    let Some(path) = file.path.strip_suffix(".rs") else {
        return Vec::new();
    };
    let vague = path.split('/').find(|part| VAGUE.contains(part));
    let finding = |name| Finding::new(file, 1, format!("{name} names no idea: say what is in it"));
    vague.map(finding).into_iter().collect()
}

fn limit(path: &str) -> usize {
    if path == "filter-ebpf/src/main.rs" {
        XDP_MAIN
    } else if path.starts_with("filter-user/src/bin/") {
        BINARY
    } else {
        MOST
    }
}

const MUCH: usize = 300;
const MOST: usize = 450;

/// Programs only: what they do stands in other files.
const XDP_MAIN: usize = 80;

/// Binaries hold no logic.
const BINARY: usize = 60;

const VAGUE: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "types"];

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn three_hundred_lines_are_fine_and_more_are_much() {
        assert!(too_long(&file("a.rs", &"\n".repeat(300))).is_empty());
        assert!(!too_long(&file("a.rs", &"\n".repeat(301)))[0].fatal);
        assert!(too_long(&file("a.rs", &"\n".repeat(451)))[0].fatal);
    }

    #[test]
    fn binaries_and_the_xdp_program_are_short() {
        assert!(too_long(&file("filter-user/src/bin/palisade.rs", &"\n".repeat(61)))[0].fatal);
        assert!(too_long(&file("filter-ebpf/src/main.rs", &"\n".repeat(81)))[0].fatal);
        assert!(too_long(&file("filter-ebpf/src/main.rs", &"\n".repeat(80))).is_empty());
    }

    #[test]
    fn a_module_has_a_name() {
        assert_eq!(vague_module(&file("filter-user/src/utils.rs", "")).len(), 1);
        assert_eq!(vague_module(&file("filter-user/src/types/a.rs", "")).len(), 1);
        assert!(vague_module(&file("filter-common/src/lib.rs", "")).is_empty());
    }
}
