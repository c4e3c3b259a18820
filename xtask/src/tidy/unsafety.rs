//! Where `unsafe` may stand.

use super::source::{code, has_word};
use super::{File, Finding};

/// Finds `unsafe` in a file that doesn't say, with a reason, that it is one of the few.
///
/// The compiler refuses it too, but accepts an opt-in anywhere above: here it has to stand
/// in the file itself, where a reader sees it.
pub(super) fn without_opt_in(file: &File) -> Vec<Finding> {
    if !file.is_a("rs") || opts_in(&file.text) {
        return Vec::new();
    }
    let uses = code(file).filter(|(_, line)| has_word(line, "unsafe"));
    uses.map(|(line, _)| {
        let message = "unsafe without #![expect(unsafe_code, reason = ...)] in this file";
        Finding::new(file, line, message)
    })
    .collect()
}

/// Formatting may break the attribute over several lines.
fn opts_in(text: &str) -> bool {
    let dense: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    dense.contains("expect(unsafe_code,reason=")
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn unsafe_needs_its_opt_in() {
        let bare = "fn f() {\n    unsafe { g() }\n}\n";
        assert_eq!(without_opt_in(&file("a.rs", bare))[0].line, 2);
        let named = format!("#![expect(\n    unsafe_code,\n    reason = \"maps\"\n)]\n{bare}");
        assert!(without_opt_in(&file("a.rs", &named)).is_empty());
    }

    #[test]
    fn names_and_comments_with_unsafe_in_them_are_fine() {
        let text = "// unsafe is what we avoid\nlet unsafe_code = 1;\n";
        assert!(without_opt_in(&file("a.rs", text)).is_empty());
    }
}
