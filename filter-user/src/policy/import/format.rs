//! How a list is written.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

/// How a list is written.
///
/// *Shape*: as a text, `plain`, `netset`, `ipset`, `csv:COLUMN`, `csv:COLUMN:DELIMITER`,
/// `json` or `json:FIELD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// An address, prefix or range a line, with `#` and `;` comments and optional times.
    Plain,
    /// The netsets of `FireHOL`: addresses and prefixes a line, with `#` comments.
    Netset,
    /// What `ipset save` prints.
    Ipset,
    /// A table.
    Csv {
        /// Where the addresses stand.
        column: Column,
        /// What stands between the cells.
        delimiter: Delimiter,
    },
    /// One JSON object a line.
    JsonLines {
        /// The field with the addresses; empty for the first of `ip`, `prefix`, `network`,
        /// `cidr` and `value` that is there.
        field: String,
    },
}

/// The column of a table that holds the addresses.
///
/// *Shape*: as a text, `2`, `1-2` for the ends of a range, or a name of the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// Counted from one.
    Number(NonZeroU16),
    /// The columns of a range's first and last address, counted from one.
    Range(NonZeroU16, NonZeroU16),
    /// As the header names it.
    Name(String),
}

/// What stands between the cells of a table.
///
/// *Shape*: as a text, `comma`, `semicolon` or `tab`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delimiter {
    /// Whichever of the three comes first in the first record, outside of quotes.
    #[default]
    Auto,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tabulator.
    Tab,
}

/// A text that names no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no list format: write plain, netset, ipset, json, json:FIELD or csv:COLUMN, where \
     a column is 2, 1-2 for a range's ends or a name, and :comma, :semicolon or :tab may follow"
)]
pub struct FormatError(String);

impl FromStr for Format {
    type Err = FormatError;

    /// *Errors*: [`FormatError`], which lists the formats.
    fn from_str(text: &str) -> Result<Self, FormatError> {
        let (name, rest) = text.split_once(':').map_or((text, None), |(name, r)| (name, Some(r)));
        let format = match (name, rest) {
            ("plain", None) => Some(Self::Plain),
            ("netset", None) => Some(Self::Netset),
            ("ipset", None) => Some(Self::Ipset),
            ("json", None) => Some(Self::JsonLines { field: String::new() }),
            ("json", Some(field)) if !field.is_empty() => {
                Some(Self::JsonLines { field: field.to_owned() })
            }
            ("csv", Some(table)) => parse_csv(table),
            _ => None,
        };
        format.ok_or_else(|| FormatError(text.chars().take(60).collect()))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => out.write_str("plain"),
            Self::Netset => out.write_str("netset"),
            Self::Ipset => out.write_str("ipset"),
            Self::JsonLines { field } if field.is_empty() => out.write_str("json"),
            Self::JsonLines { field } => write!(out, "json:{field}"),
            Self::Csv { column, delimiter: Delimiter::Auto } => write!(out, "csv:{column}"),
            Self::Csv { column, delimiter } => write!(out, "csv:{column}:{}", delimiter.name()),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(out),
            Self::Range(first, last) => write!(out, "{first}-{last}"),
            Self::Name(name) => out.write_str(name),
        }
    }
}

impl Delimiter {
    /// The byte between the cells, of a table whose first record this is.
    pub(super) fn of(self, first_record: &str) -> u8 {
        match self {
            Self::Auto => {
                let mut quoted = false;
                let mut bytes = first_record.bytes();
                let is_one = |byte: &u8| {
                    quoted ^= *byte == b'"';
                    !quoted && matches!(byte, b',' | b';' | b'\t')
                };
                bytes.find(is_one).unwrap_or(b',')
            }
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
        }
    }
}

fn parse_csv(table: &str) -> Option<Format> {
    let (column, delimiter) = match table.rsplit_once(':') {
        Some((column, "comma")) => (column, Delimiter::Comma),
        Some((column, "semicolon")) => (column, Delimiter::Semicolon),
        Some((column, "tab")) => (column, Delimiter::Tab),
        _ => (table, Delimiter::Auto),
    };
    Some(Format::Csv { column: parse_column(column)?, delimiter })
}

fn parse_column(text: &str) -> Option<Column> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('-') {
        Some((first, last)) if is_number(first) && is_number(last) => {
            Some(Column::Range(first.parse().ok()?, last.parse().ok()?))
        }
        _ if is_number(text) => Some(Column::Number(text.parse().ok()?)),
        _ if text.trim_ascii().is_empty() => None,
        _ => Some(Column::Name(text.trim_ascii().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_reads_back_as_it_is_shown() {
        for text in [
            "plain",
            "netset",
            "ipset",
            "json",
            "json:src_ip",
            "csv:2",
            "csv:1-2",
            "csv:network",
            "csv:2:tab",
            "csv:1-2:semicolon",
            "csv:start-ip:comma",
            "csv:a:b",
        ] {
            assert_eq!(text.parse::<Format>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_column_is_a_number_a_range_or_a_name() {
        let column = |text: &str| match text.parse() {
            Ok(Format::Csv { column, .. }) => column,
            other => panic!("{other:?}"),
        };
        let number = |number| NonZeroU16::new(number).unwrap();
        assert_eq!(column("csv:2"), Column::Number(number(2)));
        assert_eq!(column("csv:1-2"), Column::Range(number(1), number(2)));
        assert_eq!(column("csv:1-x"), Column::Name("1-x".into()));
    }

    #[test]
    fn anything_else_is_refused_with_the_formats() {
        for bad in ["", "xml", "plain:x", "csv", "csv:", "csv:0", "csv:0-1", "csv:99999", "json:"] {
            let error = bad.parse::<Format>().unwrap_err().to_string();
            assert!(error.contains("csv:COLUMN"), "{bad:?} gave {error}");
        }
    }

    #[test]
    fn a_delimiter_inside_quotes_is_none() {
        assert_eq!(Delimiter::Auto.of("\"a,b\";c"), b';');
        assert_eq!(Delimiter::Auto.of("a\tb,c"), b'\t');
        assert_eq!(Delimiter::Auto.of("alone"), b',');
        assert_eq!(Delimiter::Tab.of("a,b"), b'\t');
    }
}
