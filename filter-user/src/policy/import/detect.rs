//! Which format a list has, by its first lines.

use super::format::{Column, Delimiter, Format};
use super::lines::MAX_LINE_BYTES;
use super::target::parse;
use super::{plain, text_of};
use std::num::NonZeroU16;

/// Names that columns of addresses have in known lists.
const NAMES: &[&str] =
    &["ip", "ip_address", "ipaddress", "address", "prefix", "network", "cidr", "dst_ip", "src_ip"];

impl Format {
    /// Guesses the format by the start of a list: its first line that is more than a comment.
    ///
    /// *Shape*: a few KiB are enough; a line that `start` cuts counts only if it is alone.
    ///
    /// `None` when it isn't plain to see: ask the operator. A netset is `plain` here, since
    /// every netset is one.
    #[must_use]
    pub fn detect(start: &[u8]) -> Option<Self> {
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let mut lines = start.split(|byte| *byte == b'\n');
        let line = lines.find_map(|line| match text_of(line) {
            Ok(text) if is_comment(text) => None,
            other => Some(other),
        })?;
        let text = line.ok().filter(|text| text.len() <= MAX_LINE_BYTES)?;
        Self::of_line(text)
    }

    fn of_line(text: &str) -> Option<Self> {
        let first_word = text.split_ascii_whitespace().next();
        if matches!(plain::Reader::plain(0).read(text), Ok(Some(_))) {
            Some(Self::Plain)
        } else if text.trim_ascii_start().starts_with('{') {
            Some(Self::JsonLines { field: String::new() })
        } else if matches!(first_word, Some("create" | "add")) {
            Some(Self::Ipset)
        } else {
            column(text).map(|column| Self::Csv { column, delimiter: Delimiter::Auto })
        }
    }
}

fn is_comment(text: &str) -> bool {
    let text = text.trim_ascii_start();
    text.is_empty() || text.starts_with(['#', ';'])
}

/// The one column that is named like an address, or holds one.
fn column(text: &str) -> Option<Column> {
    let delimiter = char::from(Delimiter::Auto.of(text));
    let cells = || text.split(delimiter).map(|cell| cell.trim_ascii().trim_matches('"'));
    if let Some(name) = cells().find(|cell| NAMES.contains(cell)) {
        return Some(Column::Name(name.to_owned()));
    }
    let mut holds = cells().enumerate().filter(|(_, cell)| parse(cell).is_ok());
    // Two may be the ends of a range or two hosts: that is for the operator to say.
    let (Some((at, _)), None) = (holds.next(), holds.next()) else { return None };
    NonZeroU16::new(u16::try_from(at + 1).ok()?).map(Column::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(start: &str) -> Option<String> {
        Format::detect(start.as_bytes()).map(|format| format.to_string())
    }

    #[test]
    fn formats_are_told_apart_by_their_first_line() {
        for (start, format) in [
            ("# feed\n\n192.0.2.0/24\n", "plain"),
            ("\u{feff}192.0.2.1-192.0.2.9 # why", "plain"),
            ("; drop\r\n192.0.2.0/24 ; SBL1\r\n", "plain"),
            ("192.0.2.1 expires=4h", "plain"),
            ("create x hash:ip family inet\nadd x 192.0.2.1\n", "ipset"),
            ("add x 192.0.2.1 timeout 5", "ipset"),
            ("{\"ip\":\"192.0.2.1\"}", "json"),
            ("network,country\n192.0.2.0/24,XX\n", "csv:network"),
            ("\"seen\",\"dst_ip\",\"port\"\n", "csv:dst_ip"),
            ("2026-01-01,\"192.0.2.1\",443\n", "csv:2"),
            ("192.0.2.1\tXX\n", "csv:1"),
        ] {
            assert_eq!(detected(start).as_deref(), Some(format), "{start:?}");
        }
    }

    #[test]
    fn what_is_not_plain_to_see_is_left_to_the_operator() {
        for start in
            ["", "# only\n", "<html>", "[{\"ip\":1}]", "192.0.2.1,192.0.2.9,XX", "a b", "\0"]
        {
            assert_eq!(detected(start), None, "{start:?}");
        }
        assert_eq!(Format::detect(b"\x1f\x8b\x08"), None);
        assert_eq!(Format::detect(&[b'1'; 10_000]), None);
    }
}
