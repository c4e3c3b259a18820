//! Lists of prefixes, read as a stream of bytes.
//!
//! Pure: bytes and `now` go in, entries come out. [`Importer`] holds at most one line, so
//! that a list of any length, or a line of any length, takes the same memory. A list with
//! one bad line is refused whole, so that a damaged download can't open a gap.
//!
//! | file | what |
//! |---|---|
//! | `lines` | bytes to lines |
//! | `plain`, `ipset`, `csv`, `json` | a line to a row, one file a format |
//! | `target`, `expiry`, `comment` | the parts of a row |
//! | `problem` | what is wrong with a line |
//! | `tally` | rows to entries, counts and errors |
//! | `format`, `detect` | which format it is |
//! | `export` | entries to text, which reads back |

mod comment;
mod csv;
mod detect;
mod expiry;
mod export;
mod format;
mod ipset;
mod json;
mod lines;
mod plain;
mod problem;
mod tally;
mod target;

use ipnet::IpNet;
use lines::{Lines, TooLong};
use problem::Problem;
use std::collections::BTreeSet;
use tally::Tally;
use target::Target;

pub use export::write_entry;
pub use format::{Column, Delimiter, Format, FormatError};
pub use tally::{ImportError, Report};

/// One entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Without host bits; an IPv4-mapped IPv6 prefix as the IPv4 prefix that it names.
    pub prefix: IpNet,
    /// When it ends, in seconds since 1970, at most the end of the year 9999; 0 is never.
    pub expires_unix_s: u64,
    /// Why it is there: trimmed, without control characters, at most 200 characters.
    pub comment: &'a str,
}

/// Reads a list in pieces.
///
/// *Shape*: holds at most one line of 4096 bytes, whatever it is fed.
#[derive(Debug)]
pub struct Importer {
    lines: Lines,
    reader: Reader,
    tally: Tally,
}

impl Importer {
    /// An importer of one list.
    ///
    /// *Units*: `now_unix_s` in seconds since 1970: relative times count from it, and an
    /// entry whose time has come by then is skipped.
    #[must_use]
    pub fn new(format: Format, now_unix_s: u64) -> Self {
        Self {
            lines: Lines::default(),
            reader: Reader::new(format, now_unix_s),
            tally: Tally::new(now_unix_s),
        }
    }

    /// Takes the next bytes of the text, cut anywhere.
    ///
    /// Entries whose line is complete go to `sink`, up to the first bad line. What it got
    /// counts only once [`Importer::finish`] says so.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Entry<'_>)) {
        let Self { lines, reader, tally } = self;
        lines.feed(bytes, &mut |number, line| tally.take(number, reader.read(line), sink));
    }

    /// Says that the text is at its end; its last line may lack a newline.
    ///
    /// *Errors*: [`ImportError`]: throw away what `sink` got, and change nothing.
    pub fn finish(self, sink: &mut dyn FnMut(Entry<'_>)) -> Result<Report, ImportError> {
        let Self { lines, mut reader, mut tally } = self;
        lines.finish(&mut |number, line| tally.take(number, reader.read(line), sink));
        tally.finish()
    }
}

/// What a line says.
#[derive(Debug)]
struct Row<'a> {
    target: Target,
    had_host_bits: bool,
    /// Seconds since 1970; `None` is never.
    expires_unix_s: Option<u64>,
    /// As written.
    comment: &'a str,
}

/// Reads the lines of one format. `None` is a line without an entry.
#[derive(Debug)]
enum Reader {
    Plain(plain::Reader),
    Ipset(ipset::Reader),
    Csv(Box<csv::Reader>),
    Json(json::Reader),
}

impl Reader {
    fn new(format: Format, now_unix_s: u64) -> Self {
        match format {
            Format::Plain => Self::Plain(plain::Reader::plain(now_unix_s)),
            Format::Netset => Self::Plain(plain::Reader::netset(now_unix_s)),
            Format::Ipset => Self::Ipset(ipset::Reader::new(now_unix_s)),
            Format::Csv { column, delimiter } => {
                Self::Csv(Box::new(csv::Reader::new(column, delimiter)))
            }
            Format::JsonLines { field } => Self::Json(json::Reader::new(field, now_unix_s)),
        }
    }

    fn read<'a>(&'a mut self, line: Result<&'a [u8], TooLong>) -> Result<Option<Row<'a>>, Problem> {
        let line = line.map_err(|TooLong| Problem::TooLong)?;
        if let Self::Plain(_) = self
            && let Some(row) = plain::Reader::try_bare(line)
        {
            return Ok(Some(row));
        }
        let text = text_of(line)?;
        match self {
            Self::Plain(reader) => reader.read(text),
            Self::Ipset(reader) => reader.read(text),
            Self::Csv(reader) => reader.read(text),
            Self::Json(reader) => reader.read(text),
        }
    }
}

/// The text of a line, comments included: one that isn't text is damage.
fn text_of(line: &[u8]) -> Result<&str, Problem> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| Problem::NotText)?;
    if line.contains(&0) { Err(Problem::Nul) } else { Ok(text) }
}

/// What a list says, as a whole in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Its prefixes, each once.
    pub prefixes: BTreeSet<IpNet>,
    /// Entries that came more than once.
    pub duplicates: usize,
    /// Entries whose host bits were cleared.
    pub had_host_bits: usize,
}

/// Reads a list of addresses and prefixes that never expire.
///
/// *Errors*: [`ImportError`]; nothing was imported.
pub fn parse(text: &[u8]) -> Result<Imported, ImportError> {
    let mut list = Imported::default();
    let mut sink = |entry: Entry<'_>| {
        list.duplicates += usize::from(!list.prefixes.insert(entry.prefix));
    };
    // A netset has no times, so none is lost.
    let mut importer = Importer::new(Format::Netset, 0);
    importer.feed(text, &mut sink);
    let report = importer.finish(&mut sink)?;
    list.had_host_bits = usize::try_from(report.had_host_bits).unwrap_or(usize::MAX);
    Ok(list)
}

#[cfg(test)]
mod tests;
