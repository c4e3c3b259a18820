//! Words that don't belong into what is handed over.

use super::source::has_word;
use super::{File, Finding};

/// Finds notes to oneself: do it, or write down why not.
pub(super) fn words(file: &File) -> Vec<Finding> {
    each_line(file, |line| {
        let word = NOTES.iter().find(|word| has_word(line, word))?;
        Some(format!("{word}: do it, or say in the docs what is absent"))
    })
}

/// Finds paths that exist only where the text was written.
pub(super) fn machine_paths(file: &File) -> Vec<Finding> {
    each_line(file, |line| {
        let path = PATHS.iter().find(|path| stands_alone(line, path))?;
        Some(format!("{path}: no such path on another machine"))
    })
}

fn each_line(file: &File, rule: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let lines = file.text.lines().enumerate();
    let hits = lines.filter_map(|(index, line)| Some((index + 1, rule(line)?)));
    hits.map(|(number, message)| Finding::new(file, number, message)).collect()
}

/// Whether an absolute path begins here, and not a folder of that name further down.
fn stands_alone(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || "._-/~}".contains(before))
    })
}

/// Put together here, so that this file doesn't find itself.
const NOTES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

const PATHS: &[&str] = &[concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/ro", "ot/")];

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn notes_to_oneself_are_found_as_words() {
        let text = format!("// {}: later\nlet {}S = 1;\n", NOTES[0], NOTES[0]);
        let found = words(&file("a.rs", &text));
        assert_eq!(found.iter().map(|finding| finding.line).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn absolute_paths_of_a_machine_are_found() {
        let text = format!("see {}me/x\n", PATHS[0]);
        assert_eq!(machine_paths(&file("a.md", &text)).len(), 1);
        let text = format!("see target{}x\n", PATHS[1]);
        assert!(machine_paths(&file("a.md", &text)).is_empty());
    }
}
