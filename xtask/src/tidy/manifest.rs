//! What the workspace's root files promise.

use super::{File, Finding};

/// Finds dependencies whose line doesn't say what they are for.
pub(super) fn unexplained_dependencies(file: &File) -> Vec<Finding> {
    if file.path != "Cargo.toml" {
        return Vec::new();
    }
    let unexplained = dependencies(&file.text).filter(|(_, line)| !is_explained(line));
    unexplained
        .map(|(number, _)| Finding::new(file, number, "a dependency without a `#` reason"))
        .collect()
}

/// Finds a change log that has no place for the next change.
pub(super) fn changelog_without_unreleased(file: &File) -> Vec<Finding> {
    let unreleased = |line: &str| {
        let title = line.strip_prefix("## ").map(str::to_lowercase);
        title.is_some_and(|title| title.trim_matches(['[', ']', ' ']) == "unreleased")
    };
    if file.path != "CHANGELOG.md" || file.text.lines().any(unreleased) {
        return Vec::new();
    }
    vec![Finding::new(file, 1, "no Unreleased section")]
}

fn dependencies(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    numbered
        .skip_while(|(_, line)| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn is_explained(line: &str) -> bool {
    line.rsplit_once('#').is_some_and(|(_, reason)| !reason.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn each_dependency_has_its_reason() {
        let text = "[workspace]\na = 1\n[workspace.dependencies]\n\
                    b = \"1\" # why\n# a remark\nc = \"1\"\nd = \"1\" #\n[lints]\ne = 1\n";
        let found = unexplained_dependencies(&file("Cargo.toml", text));
        let lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [6, 7]);
    }

    #[test]
    fn the_change_log_has_an_unreleased_section() {
        for title in ["## Unreleased", "## [Unreleased]"] {
            let log = file("CHANGELOG.md", &format!("# Changes\n{title}\n"));
            assert!(changelog_without_unreleased(&log).is_empty());
        }
        assert_eq!(changelog_without_unreleased(&file("CHANGELOG.md", "# Changes\n")).len(), 1);
    }
}
