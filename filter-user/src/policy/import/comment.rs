//! Comments of entries.

use std::borrow::Cow;

/// Characters of a comment that are kept; the rest is cut.
pub(super) const MAX_CHARS: usize = 200;

/// A comment as it is kept: trimmed and cut, every control character a space, so that it
/// stays on its line and can't steer a terminal.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.contains(char::is_control) {
        let spaced: String = text.chars().map(spaced).collect();
        Cow::Owned(cut(spaced.trim()).to_owned())
    } else {
        Cow::Borrowed(cut(text))
    }
}

fn spaced(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(end, _)| end);
    text[..end].trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_trimmed_and_cut_between_characters() {
        assert_eq!(clean("  why \t"), "why");
        assert_eq!(clean(&"ü".repeat(500)), "ü".repeat(MAX_CHARS));
    }

    #[test]
    fn a_comment_cannot_steer_a_terminal_or_end_its_line() {
        assert_eq!(clean("a\nb\x1b[2Jc\0"), "a b [2Jc");
    }

    #[test]
    fn what_is_clean_stays() {
        for text in ["", " a\u{85}", &format!("{} b", "a".repeat(199)), "# a; b"] {
            assert_eq!(clean(&clean(text)), clean(text));
        }
    }
}
