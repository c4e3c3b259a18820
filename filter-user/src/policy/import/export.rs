//! Entries to a plain list.

use super::Entry;
use super::comment::clean;
use super::expiry::LAST_UNIX_S;
use humantime::format_rfc3339_seconds;
use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

/// Writes an entry as a line of a plain list, its newline included.
///
/// An entry as an import gives it reads back the same. Of any other entry, the comment is
/// put into that form: control characters and line ends become spaces, its ends are trimmed,
/// and what goes past 200 characters is cut; `#` and `;` stay, since only the first of a
/// line starts a comment. A time past the year 9999 becomes its last second.
///
/// *Errors*: what `out` says; a `String` says nothing.
pub fn write_entry(out: &mut impl fmt::Write, entry: Entry<'_>) -> fmt::Result {
    write!(out, "{}", entry.prefix)?;
    if entry.expires_unix_s != 0 {
        let expires = Duration::from_secs(entry.expires_unix_s.min(LAST_UNIX_S));
        write!(out, " {}", format_rfc3339_seconds(UNIX_EPOCH + expires))?;
    }
    let comment = clean(entry.comment);
    if !comment.is_empty() {
        write!(out, " # {comment}")?;
    }
    out.write_char('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(prefix: &str, expires_unix_s: u64, comment: &str) -> String {
        let mut out = String::new();
        let entry = Entry { prefix: prefix.parse().unwrap(), expires_unix_s, comment };
        write_entry(&mut out, entry).unwrap();
        out
    }

    #[test]
    fn an_entry_is_one_line() {
        assert_eq!(written("192.0.2.0/24", 0, ""), "192.0.2.0/24\n");
        assert_eq!(
            written("2001:db8::/32", 1_796_083_200, "a; #b"),
            "2001:db8::/32 2026-12-01T00:00:00Z # a; #b\n"
        );
    }

    #[test]
    fn a_comment_stays_on_its_line() {
        let text = written("192.0.2.0/24", 0, "a\n0.0.0.0/0\r\n");
        assert_eq!(text, "192.0.2.0/24 # a 0.0.0.0/0\n");
    }

    #[test]
    fn a_time_past_the_calendar_is_its_last_second() {
        assert!(written("192.0.2.0/24", u64::MAX, "").contains("9999-12-31T23:59:59Z"));
    }
}
