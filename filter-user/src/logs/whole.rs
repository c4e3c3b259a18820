//! A log that is read once, from its beginning to its end.

use crate::access_log::{Format, LineError, Lines, Request};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes that are read at once; a format is found out from the first of them.
const PIECE: usize = 256 << 10;

/// Lines by which a format is found out.
const TRIED: usize = 100;

/// The requests of a log, in the order of its lines.
///
/// `HAProxy`'s times, which have no zone, are taken for UTC.
pub struct WholeLog {
    path: PathBuf,
    source: File,
    /// What was read to find out the format.
    start: Vec<u8>,
    partial: Lines,
    ready: VecDeque<Result<Request, LineError>>,
    is_over: bool,
    /// How its lines are read.
    pub format: Format,
    /// Lines that were read. Empty ones don't count.
    pub lines: u64,
    /// Those that are no requests.
    pub malformed: u64,
    /// The first of these: its number, from 1, and what is wrong with it.
    pub first_malformed: Option<(u64, LineError)>,
    /// Why it was not read to its end.
    pub failure: Option<LogError>,
}

/// A log that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The system says no.
    #[error("{}: line {line}: can't be read: {error}", path.display())]
    Read {
        /// The file as it was named.
        path: PathBuf,
        /// The line that is read next, from 1.
        line: u64,
        /// Why.
        error: io::Error,
    },
    /// Nothing that is known.
    #[error(
        "{}: none of its first {lines} lines is of a known format: {} (line 1 as combined: {error})",
        path.display(), Format::ALL.map(Format::name).join(", ")
    )]
    Format {
        /// The file as it was named.
        path: PathBuf,
        /// Lines that were tried.
        lines: usize,
        /// What the first format says of the first line.
        error: LineError,
    },
    /// There is no line.
    #[error("{}: it has no lines", .0.display())]
    Empty(PathBuf),
}

impl WholeLog {
    /// Opens a log. If its format isn't said, it is the one that most of its first lines have.
    ///
    /// *Errors*: [`LogError`].
    pub fn open(path: &Path, format: Option<Format>) -> Result<Self, LogError> {
        let failed = |error| LogError::Read { path: path.to_owned(), line: 1, error };
        let mut source = File::open(path).map_err(failed)?;
        let mut start = Vec::new();
        let most = u64::try_from(PIECE).unwrap_or(u64::MAX);
        source.by_ref().take(most).read_to_end(&mut start).map_err(failed)?;
        let format = format.map_or_else(|| find_format(path, &start), Ok)?;
        Ok(Self {
            path: path.to_owned(),
            source,
            start,
            partial: Lines::default(),
            ready: VecDeque::new(),
            is_over: false,
            format,
            lines: 0,
            malformed: 0,
            first_malformed: None,
            failure: None,
        })
    }

    /// Reads on.
    fn read(&mut self) {
        let mut piece = std::mem::take(&mut self.start);
        if piece.is_empty() {
            let most = u64::try_from(PIECE).unwrap_or(u64::MAX);
            if let Err(error) = self.source.by_ref().take(most).read_to_end(&mut piece) {
                let (path, line) = (self.path.clone(), self.lines + 1);
                self.failure = Some(LogError::Read { path, line, error });
                self.is_over = true;
            }
        }
        if piece.is_empty() {
            self.is_over = true;
            // An excerpt may lack the end of its last line.
            piece.push(b'\n');
        }
        let Self { partial, ready, format, .. } = self;
        partial.feed(&piece, &mut |line| {
            ready.push_back(line.and_then(|line| format.parse(line, 0)));
        });
    }
}

impl Iterator for WholeLog {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        loop {
            match self.ready.pop_front() {
                Some(line) => {
                    self.lines += 1;
                    match line {
                        Ok(request) => return Some(request),
                        Err(error) => {
                            self.malformed += 1;
                            self.first_malformed.get_or_insert((self.lines, error));
                        }
                    }
                }
                None if self.is_over => return None,
                None => self.read(),
            }
        }
    }
}

fn find_format(path: &Path, start: &[u8]) -> Result<Format, LogError> {
    let lines = start.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).take(TRIED).collect();
    let Some(first) = lines.first() else {
        return Err(LogError::Empty(path.to_owned()));
    };
    let fitting =
        |format: Format| lines.iter().filter(|line| format.parse(line, 0).is_ok()).count();
    let found = Format::ALL.into_iter().rev().max_by_key(|format| fitting(*format));
    let error = Format::Combined.parse(first, 0).err().unwrap_or(LineError::CutOff);
    let unknown = LogError::Format { path: path.to_owned(), lines: lines.len(), error };
    found.filter(|format| fitting(*format) > 0).ok_or(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const COMBINED: &str =
        r#"192.0.2.7 - - [22/Nov/2026:20:50:19 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8""#;

    fn log(text: &str) -> (tempfile::NamedTempFile, Result<WholeLog, LogError>) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let log = WholeLog::open(file.path(), None);
        (file, log)
    }

    #[test]
    fn a_format_is_found_out_and_what_is_malformed_counted() {
        let (_file, log) = log(&format!("junk\n\n{COMBINED}\n{COMBINED}"));
        let mut log = log.unwrap();
        assert_eq!((log.format, log.by_ref().count()), (Format::Combined, 2));
        assert_eq!((log.lines, log.malformed), (3, 1));
        assert_eq!(log.first_malformed.unwrap().0, 1);
        assert!(log.failure.is_none());
    }

    #[test]
    fn a_log_is_read_piece_by_piece() {
        let count = PIECE / COMBINED.len() * 3;
        let (_file, log) = log(&format!("{COMBINED}\n").repeat(count));
        assert_eq!(log.unwrap().count(), count);
    }

    #[test]
    fn what_is_no_log_is_refused_with_a_reason() {
        let said = |text: &str| log(text).1.err().unwrap().to_string();
        assert!(said("").contains("no lines"));
        assert!(said("hello\nworld\n").contains("first 2 lines"), "{}", said("hello\n"));
        let error = WholeLog::open(Path::new("/nonexistent"), None).err().unwrap();
        assert!(error.to_string().contains("/nonexistent"), "{error}");
        let error = WholeLog::open(Path::new("/"), Some(Format::Combined)).err().unwrap();
        assert!(error.to_string().contains("directory"), "{error}");
    }
}
