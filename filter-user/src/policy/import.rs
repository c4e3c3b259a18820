//! Lists of prefixes in a text: one a line, `#` starts a comment.

use super::prefix::parse_prefix;
use ipnet::IpNet;
use std::collections::BTreeSet;

/// What a list says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Its prefixes, each once.
    pub prefixes: BTreeSet<IpNet>,
    /// Entries that came more than once.
    pub duplicates: usize,
    /// Entries whose host bits were cleared.
    pub had_host_bits: usize,
}

/// A list that was refused whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Lines that are no prefix.
    #[error("{total} bad lines, nothing was imported\n{}", shown.join("\n"))]
    BadLines {
        /// How many.
        total: usize,
        /// The first of them, each with its number and what is wrong.
        shown: Vec<String>,
    },
    /// No entry at all: more likely a failed download than a wish.
    #[error("the list is empty, nothing was imported")]
    Empty,
}

/// Bad lines that an error repeats.
const SHOWN: usize = 20;

/// Reads a list.
///
/// *Errors*: [`ImportError`]; a list with one bad line is refused whole, so that a
/// damaged download can't open a gap.
pub fn parse(text: &[u8]) -> Result<Imported, ImportError> {
    let mut imported = Imported::default();
    let mut total = 0;
    let mut shown = Vec::new();
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        if let Err(error) = parse_line(line, &mut imported) {
            total += 1;
            if shown.len() < SHOWN {
                shown.push(format!("line {}: {error}", index + 1));
            }
        }
    }
    if total > 0 {
        return Err(ImportError::BadLines { total, shown });
    }
    if imported.prefixes.is_empty() {
        return Err(ImportError::Empty);
    }
    Ok(imported)
}

fn parse_line(line: &[u8], imported: &mut Imported) -> Result<(), String> {
    // A line far beyond any prefix is cut before it is looked at.
    let line = line.get(..MAX_LINE).unwrap_or(line);
    let text = String::from_utf8_lossy(line);
    let entry = text.split('#').next().unwrap_or_default().trim();
    if entry.is_empty() {
        return Ok(());
    }
    let parsed = parse_prefix(entry).map_err(|error| error.to_string())?;
    imported.had_host_bits += usize::from(parsed.had_host_bits);
    if !imported.prefixes.insert(parsed.prefix) {
        imported.duplicates += 1;
    }
    Ok(())
}

/// Bytes of a line that count: a prefix and a comment.
const MAX_LINE: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_blank_lines_and_line_ends_are_skipped() {
        let list =
            parse(b"# feed\r\n192.0.2.0/24 # why\r\n\r\n  2001:db8::1\n192.0.2.5/24\n").unwrap();
        assert_eq!(list.prefixes.len(), 2);
        assert_eq!((list.duplicates, list.had_host_bits), (1, 1));
    }

    #[test]
    fn one_bad_line_refuses_the_list_and_is_named() {
        let error = parse(b"192.0.2.0/24\n192.0.2.0/33\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("192.0.2.0/33"), "{error}");
    }

    #[test]
    fn a_long_list_of_bad_lines_is_cut() {
        let error = parse("x\n".repeat(1000).as_bytes()).unwrap_err();
        assert!(
            matches!(error, ImportError::BadLines { total: 1000, shown } if shown.len() == SHOWN)
        );
    }

    #[test]
    fn an_empty_list_and_bytes_that_are_no_text_are_refused() {
        assert_eq!(parse(b"# nothing\n"), Err(ImportError::Empty));
        assert!(parse(b"\xff\xfe\0\n").is_err());
        assert!(parse(&vec![b'1'; 1 << 20]).is_err());
    }
}
