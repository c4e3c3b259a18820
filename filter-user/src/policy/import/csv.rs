//! Lists as tables: one record a line, of which one column counts, or two for a range.
//!
//! Blank lines and lines that start with `#` are skipped. The first record is a header when
//! the column is named; when it is numbered, the first record is taken for a header if its
//! cell is a bare word such as `network`, which can't be a damaged address. A header behind
//! a `#`, as abuse.ch writes it, is found too. A quoted field may not run over its line:
//! with a stray quote, entries would vanish into a field that nobody reads.

use super::Row;
use super::format::{Column, Delimiter};
use super::problem::{Problem, shown};
use super::target::{Target, parse, range};
use csv_core::{ReadRecordResult, ReaderBuilder, Terminator};

/// A record that names no addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CsvProblem {
    #[error("no column {0}: name another as csv:2, or the delimiter too, as csv:2:semicolon")]
    NoColumn(usize),
    #[error(
        "no column {name:?} in the header {header:?}: name one of them, or its number as csv:2"
    )]
    NoHeader { name: String, header: String },
    #[error("a quoted field is not closed on its line: join its lines, or fetch the list again")]
    OpenQuote,
}

/// Reads records.
#[derive(Debug)]
pub(super) struct Reader {
    column: Column,
    delimiter: Delimiter,
    state: State,
    record: Record,
}

#[derive(Debug)]
enum State {
    /// No record has come.
    Start,
    /// The places of the columns are known, counted from zero.
    Ready(Places),
    /// The header has no such column: that is one bad line, not one a record.
    Lost,
}

#[derive(Clone, Copy, Debug)]
struct Places {
    first: usize,
    last: Option<usize>,
}

impl Reader {
    pub(super) fn new(column: Column, delimiter: Delimiter) -> Self {
        Self { column, delimiter, state: State::Start, record: Record::new() }
    }

    pub(super) fn read<'a>(&'a mut self, text: &'a str) -> Result<Option<Row<'a>>, Problem> {
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        if let Some(comment) = text.strip_prefix('#') {
            self.find_header_in_comment(comment);
            return Ok(None);
        }
        match self.state {
            State::Ready(places) => {
                self.record.split(text)?;
                self.record.row(places).map(Some)
            }
            State::Start => self.read_first(text),
            State::Lost => Ok(None),
        }
    }

    fn read_first(&mut self, text: &str) -> Result<Option<Row<'static>>, Problem> {
        self.record.set_delimiter(self.delimiter.of(text));
        self.record.split(text)?;
        let Some(places) = self.places() else {
            self.state = State::Lost;
            let Column::Name(name) = &self.column else { return Ok(None) };
            return Err(CsvProblem::NoHeader { name: shown(name), header: shown(text) }.into());
        };
        self.state = State::Ready(places);
        let is_header = matches!(self.column, Column::Name(_))
            || self.record.cell(places.first).is_some_and(is_bare_word);
        if is_header { Ok(None) } else { self.record.row(places).map(Some) }
    }

    fn find_header_in_comment(&mut self, comment: &str) {
        if !matches!((&self.state, &self.column), (State::Start, Column::Name(_))) {
            return;
        }
        self.record.set_delimiter(self.delimiter.of(comment));
        if self.record.split(comment.trim_ascii()).is_ok()
            && let Some(places) = self.places()
        {
            self.state = State::Ready(places);
        }
    }

    /// Where the columns stand; a named one, according to the record at hand.
    fn places(&self) -> Option<Places> {
        let place = |number: std::num::NonZeroU16| usize::from(number.get()) - 1;
        match &self.column {
            Column::Number(number) => Some(Places { first: place(*number), last: None }),
            Column::Range(first, last) => {
                Some(Places { first: place(*first), last: Some(place(*last)) })
            }
            Column::Name(name) => {
                let first =
                    (0..self.record.cells).find(|&at| self.record.cell(at) == Some(name))?;
                Some(Places { first, last: None })
            }
        }
    }
}

/// A word that is no address, not even a damaged one.
fn is_bare_word(cell: &str) -> bool {
    cell.contains(|letter: char| letter.is_ascii_alphabetic()) && !cell.contains(['.', ':', '/'])
}

/// The record at hand, without quotes.
///
/// *Shape*: a line has no more cells or bytes than the buffers hold.
#[derive(Debug)]
struct Record {
    core: csv_core::Reader,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    cells: usize,
}

impl Record {
    fn new() -> Self {
        let room = super::lines::MAX_LINE_BYTES + 1;
        Self { core: core(b','), bytes: vec![0; room], ends: vec![0; room], cells: 0 }
    }

    fn set_delimiter(&mut self, delimiter: u8) {
        self.core = core(delimiter);
    }

    fn split(&mut self, text: &str) -> Result<(), CsvProblem> {
        self.cells = 0;
        let (_, _, used, cells) =
            self.core.read_record(text.as_bytes(), &mut self.bytes, &mut self.ends);
        let (done, _, _, more) =
            self.core.read_record(b"\n", &mut self.bytes[used..], &mut self.ends[cells..]);
        if done != ReadRecordResult::Record {
            self.core.reset();
            return Err(CsvProblem::OpenQuote);
        }
        self.cells = cells + more;
        Ok(())
    }

    fn cell(&self, at: usize) -> Option<&str> {
        let end = *self.ends[..self.cells].get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        std::str::from_utf8(self.bytes.get(start..end)?).ok().map(str::trim_ascii)
    }

    fn row(&self, places: Places) -> Result<Row<'static>, Problem> {
        let need = |at: usize| self.cell(at).ok_or(CsvProblem::NoColumn(at + 1));
        let (target, had_host_bits) = match places.last {
            None => parse(need(places.first)?)?,
            Some(last) => (Target::Range(range(need(places.first)?, need(last)?)?), false),
        };
        Ok(Row { target, had_host_bits, expires_unix_s: None, comment: "" })
    }
}

/// Lines are cut already, so a carriage return is a byte like any other.
fn core(delimiter: u8) -> csv_core::Reader {
    ReaderBuilder::new().delimiter(delimiter).terminator(Terminator::Any(b'\n')).build()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{prefixes, refused};

    #[test]
    fn a_column_is_found_by_number_or_name() {
        let list = "# made today\nnetwork,country\n192.0.2.0/24,XX\n\n# more\n2001:db8::/32,YY\n";
        let both = ["192.0.2.0/24", "2001:db8::/32"];
        assert_eq!(prefixes("csv:network", list), both);
        assert_eq!(prefixes("csv:1", list), both);
        assert_eq!(prefixes("csv:2", "XX,192.0.2.0/24\r\nYY, 2001:db8::/32 \r\n"), both);
    }

    #[test]
    fn two_columns_are_the_ends_of_a_range() {
        let list = "192.0.2.0,192.0.2.255,XX\n\"2001:db8::\",\"2001:db8::1\",YY\n";
        assert_eq!(prefixes("csv:1-2", list), ["192.0.2.0/24", "2001:db8::/127"]);
        let list = format!("start,end,country\n{list}");
        assert_eq!(prefixes("csv:1-2", list).len(), 2);
    }

    #[test]
    fn delimiters_are_noticed_or_named() {
        assert_eq!(prefixes("csv:ip", "n;ip\n\"a;b\";192.0.2.1\n"), ["192.0.2.1/32"]);
        assert_eq!(prefixes("csv:2", "\t192.0.2.1\tXX\n"), ["192.0.2.1/32"]);
        assert_eq!(prefixes("csv:2:semicolon", "a,b;192.0.2.1\n"), ["192.0.2.1/32"]);
        assert_eq!(prefixes("csv:2:tab", "a,b\t192.0.2.1\n"), ["192.0.2.1/32"]);
        assert_eq!(prefixes("csv:1", "192.0.2.1\n"), ["192.0.2.1/32"]);
    }

    #[test]
    fn quotes_hold_delimiters_and_quotes() {
        let list = "\"a \"\"b\"\", c\",\"192.0.2.1\"\n";
        assert_eq!(prefixes("csv:2", list), ["192.0.2.1/32"]);
    }

    #[test]
    fn a_header_behind_a_comment_sign_is_found() {
        let list = "# abuse list\n# Listingdate,DstIP,DstPort\n2026-01-01,192.0.2.1,443\n";
        assert_eq!(prefixes("csv:DstIP", list), ["192.0.2.1/32"]);
    }

    #[test]
    fn a_damaged_first_line_is_no_header() {
        assert!(refused("csv:1", "192.0.2.x,XX\n192.0.2.1,XX\n").contains("line 1"));
        assert!(refused("csv:1", "ip,x\nip,x\n192.0.2.1,x\n").contains("line 2"));
    }

    #[test]
    fn a_bad_record_is_named_with_a_way_out() {
        for (format, bad, why) in [
            ("csv:2", "192.0.2.1", "no column 2"),
            ("csv:1", "\"192.0.2.1", "quoted field"),
            ("csv:1", ",192.0.2.1", "such as"),
            ("csv:2", "a,192.0.2.1/33", "0 to 32"),
            ("csv:1-2", "192.0.2.9,192.0.2.1", "swap"),
            ("csv:1-2", "192.0.2.9,", "FIRST-LAST"),
            ("csv:1-2", "192.0.2.9", "no column 2"),
            ("csv:1-2", "192.0.2.9,2001:db8::1", "one family"),
        ] {
            let error =
                refused(format, format!("192.0.2.1,192.0.2.1\n{bad}\n192.0.2.1,192.0.2.1\n"));
            assert!(error.contains("1 bad line") && error.contains("line 2: "), "{bad:?}: {error}");
            assert!(error.contains(why), "{bad:?} gave {error}");
        }
    }

    #[test]
    fn a_header_without_the_name_is_one_bad_line() {
        let error = refused("csv:ip", "network,country\n192.0.2.0/24,XX\n192.0.2.0/24,XX\n");
        assert!(error.starts_with("1 bad line") && error.contains("network,country"), "{error}");
    }

    #[test]
    fn the_widest_record_fits() {
        let commas = ",".repeat(4096 - "192.0.2.1".len());
        assert_eq!(prefixes("csv:1", format!("192.0.2.1{commas}\n")), ["192.0.2.1/32"]);
        assert!(refused("csv:1", ",".repeat(4096)).contains("such as"));
    }
}
