//! Links between the project's own documents.

use std::path::{Component, Path, PathBuf};

use super::{File, Finding};

/// Finds relative links in Markdown that lead nowhere; `exists` answers for a path from
/// the workspace's root.
pub(super) fn broken(file: &File, exists: &dyn Fn(&Path) -> bool) -> Vec<Finding> {
    if !file.is_a("md") {
        return Vec::new();
    }
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    let broken = |target: &&str| !exists(&resolve(folder, target));
    prose(&file.text)
        .flat_map(|(number, line)| relative_links(line).map(move |link| (number, link)))
        .filter(|(_, link)| broken(link))
        .map(|(number, link)| Finding::new(file, number, format!("broken link: {link}")))
        .collect()
}

/// Lines outside of fenced code.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Targets of `[text](target)`, without anchors and without what is on the web.
fn relative_links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.map(|target| target.split('#').next().unwrap_or(target));
    files.filter(|target| !target.is_empty() && !target.contains(':'))
}

fn resolve(folder: &Path, target: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for component in folder.join(target).components() {
        if component == Component::ParentDir {
            path.pop();
        } else {
            path.push(component);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn broken_links(text: &str) -> Vec<usize> {
        let exists = |path: &Path| path == Path::new("README.md") || path == Path::new("docs/a.md");
        let found = broken(&file("docs/b.md", text), &exists);
        found.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn links_that_resolve_are_fine() {
        assert!(broken_links("[a](a.md) and [top](../README.md#what)\n").is_empty());
        assert!(broken_links("[web](https://example.org/x) [here](#there)\n").is_empty());
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        assert_eq!(broken_links("fine\n[a](a.md) [gone](gone.md)\n"), [2]);
    }

    #[test]
    fn code_is_not_prose() {
        assert!(broken_links("```\n[a](gone.md)\n```\n").is_empty());
    }
}
