//! What is said of entries, besides their prefixes.

use std::collections::HashMap;
use std::sync::Arc;

/// What a list says of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Note {
    /// When the entry ends, in seconds since 1970; zero is never.
    pub expires_unix_s: u64,
    /// When it was added, in milliseconds since 1970.
    pub added_unix_ms: u64,
    /// Whether it only counts, whatever its list does.
    pub shadow: bool,
    /// Why it is there, in somebody's words.
    pub comment: Arc<str>,
}

impl Note {
    /// Whether the entry has ended.
    #[must_use]
    pub const fn has_ended(&self, unix_s: u64) -> bool {
        self.expires_unix_s != 0 && self.expires_unix_s <= unix_s
    }
}

/// The notes of a list, each once: a feed's entries mostly say the same.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    distinct: Vec<Note>,
    numbers: HashMap<Note, u32>,
    /// The number that was given out last.
    last: u32,
}

impl Notes {
    /// A note's number; the same note has the same one.
    pub fn number(&mut self, note: Note) -> u32 {
        // What is said comes in runs, and comparing costs less than hashing.
        let last = usize::try_from(self.last).ok().and_then(|at| self.distinct.get(at));
        if last != Some(&note) {
            self.last = self.look_up(note);
        }
        self.last
    }

    fn look_up(&mut self, note: Note) -> u32 {
        let next = u32::try_from(self.distinct.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(note).or_insert_with_key(|note| {
            self.distinct.push(note.clone());
            next
        })
    }

    /// Adds a note under the next number, even if it is known under another one.
    pub(super) fn append(&mut self, note: Note) {
        let number = u32::try_from(self.distinct.len()).unwrap_or(u32::MAX);
        self.numbers.entry(note.clone()).or_insert(number);
        self.distinct.push(note);
    }

    /// All of them, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Note> {
        self.distinct.iter()
    }

    /// The note with a number.
    #[must_use]
    pub fn note(&self, number: u32) -> &Note {
        static NOTHING: std::sync::LazyLock<Note> = std::sync::LazyLock::new(Note::default);
        usize::try_from(number).ok().and_then(|at| self.distinct.get(at)).unwrap_or(&NOTHING)
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.distinct.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.distinct.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_note_has_the_same_number() {
        let mut notes = Notes::default();
        let note = |comment: &str| Note { comment: comment.into(), ..Note::default() };
        let numbers = ["", "a", "a", "", "b", "a"].map(|comment| notes.number(note(comment)));
        assert_eq!(numbers, [0, 1, 1, 0, 2, 1]);
        assert_eq!(notes.len(), 3);
        assert_eq!(&*notes.note(1).comment, "a");
    }
}
