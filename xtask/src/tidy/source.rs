//! The files that the rules look at, and what of a Rust file is code.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::File;

/// Every text file under `root` that people write.
///
/// # Errors
///
/// If a folder or file can't be read.
pub(super) fn read(root: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    collect(root, root, &mut files)?;
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("can't list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !GENERATED.contains(&name.as_ref()) {
                collect(root, &path, files)?;
            }
        } else if is_text(&path) {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("can't read {}", path.display()))?;
            let path = path.strip_prefix(root)?.to_string_lossy().into_owned();
            files.push(File { path, text });
        }
    }
    Ok(())
}

fn is_text(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    TEXT.iter().any(|text| extension == *text) || path.ends_with(".ci/run")
}

/// The lines of a Rust file that are code and shipped: numbered from one, without line
/// comments and test-only items, up to the unit tests at its foot.
pub(super) fn code(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = file.text.lines().map(str::trim_end).collect();
    let test_only = |index: usize| index > 0 && lines[index - 1] == "#[cfg(test)]";
    let is_foot = |index: usize| test_only(index) && lines[index].ends_with('{');
    let end = (0..lines.len()).find(|index| is_foot(*index)).unwrap_or(lines.len());
    let shipped: Vec<_> = (0..end)
        .filter(|index| !test_only(*index))
        .map(|index| (index + 1, lines[index].split("//").next().unwrap_or_default()))
        .collect();
    shipped.into_iter()
}

/// Whether `word` stands in `line` by itself, and not as a part of a longer name.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// Folders that hold nothing written by hand; corpora come from others.
const GENERATED: &[&str] = &[".git", "target", "corpus", "node_modules"];

const TEXT: &[&str] = &["rs", "md", "toml", "py", "sh", "yml", "yaml", "service"];

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn comments_and_unit_tests_are_not_code() {
        let text = "//! doc\nuse x; // why\n#[cfg(test)]\nmod tests {\nuse y;\n}\n";
        let file = file("a.rs", text);
        let code: Vec<_> = code(&file).collect();
        assert_eq!(code, [(1, ""), (2, "use x; "), (3, "#[cfg(test)]")]);
    }

    #[test]
    fn code_goes_on_behind_a_test_only_line() {
        let file = file("a.rs", "#[cfg(test)]\nextern crate std;\nuse x;\n");
        assert_eq!(code(&file).last(), Some((3, "use x;")));
    }

    #[test]
    fn a_word_is_not_a_part_of_a_name() {
        assert!(has_word("use aya::Ebpf;", "aya"));
        assert!(!has_word("use aya_log::x;", "aya"));
        assert!(!has_word("let payaya = 1;", "aya"));
    }
}
