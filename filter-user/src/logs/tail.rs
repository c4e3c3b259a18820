//! Following a file through rotation and truncation.

use super::State;
use crate::access_log::{LineError, Lines};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

/// Bytes that are read at once: some hundreds of lines.
pub(super) const PIECE: usize = 64 << 10;

/// How long a file that was renamed is read when nothing comes: servers write to it until they
/// are told to open the new one.
const LINGER_MS: u64 = 10_000;

/// Bytes that are remembered of what was read last: more than a line or two, as lines may end alike
/// and have a time.
const MARK: usize = 1024;

/// A file that is followed by its name.
///
/// A file that is there at the start is read from its end, one that comes later from its begin.
/// A file of another number under the name is a rotation: the old one is read on until nothing
/// came for [`LINGER_MS`], or until the next rotation. A file that became shorter, or has other
/// bytes now before those that come next, was truncated, and is read from its begin; what was
/// written between the last poll and the truncation is gone.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    current: Option<Source>,
    old: Option<Source>,
    /// Whether the next file to be opened was there before anybody asked.
    from_end: bool,
}

/// An open file.
#[derive(Debug)]
struct Source {
    file: File,
    /// Device and number.
    id: (u64, u64),
    read_bytes: u64,
    /// The last of them, up to [`MARK`].
    mark: Vec<u8>,
    lines: Lines,
    /// When something came last.
    busy_unix_ms: u64,
}

type Tell<'a> = dyn FnMut(Result<&[u8], LineError>) + 'a;

impl Tail {
    /// A file that nobody has looked for yet.
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, current: None, old: None, from_end: true }
    }

    /// Whether there is a file.
    pub(super) const fn state(&self) -> State {
        if self.current.is_some() { State::Reading } else { State::Waiting }
    }

    /// Reads up to two pieces and tells their lines; `true` if there may be more at once.
    ///
    /// *Errors*: the file can't be opened or read; the next poll opens it again. One that was read
    /// is read from its end then: what is lost is lost, and nothing comes twice.
    pub(super) fn poll(
        &mut self,
        piece: &mut [u8],
        now_unix_ms: u64,
        tell: &mut Tell<'_>,
    ) -> io::Result<bool> {
        let old = self.poll_old(piece, now_unix_ms, tell);
        let old = old.inspect_err(|_| self.old = None)?;
        if self.poll_current(piece, now_unix_ms, tell).inspect_err(|_| self.give_up())? {
            return Ok(true);
        }
        self.look(now_unix_ms, tell).map(|changed| old || changed)
    }

    fn poll_old(
        &mut self,
        piece: &mut [u8],
        now_unix_ms: u64,
        tell: &mut Tell<'_>,
    ) -> io::Result<bool> {
        let Some(source) = &mut self.old else {
            return Ok(false);
        };
        let more = source.read(piece, now_unix_ms, tell)?;
        if !more && now_unix_ms.saturating_sub(source.busy_unix_ms) >= LINGER_MS {
            source.lines.end(&mut |line| tell(line));
            self.old = None;
        }
        Ok(more)
    }

    fn poll_current(
        &mut self,
        piece: &mut [u8],
        now_unix_ms: u64,
        tell: &mut Tell<'_>,
    ) -> io::Result<bool> {
        let current = self.current.as_mut();
        current.map_or(Ok(false), |source| source.read(piece, now_unix_ms, tell))
    }

    fn give_up(&mut self) {
        self.current = None;
        self.from_end = true;
    }

    /// Looks what is under the name now; `true` if that has changed.
    fn look(&mut self, now_unix_ms: u64, tell: &mut Tell<'_>) -> io::Result<bool> {
        let found = match fs::metadata(&self.path) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.from_end = false;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        match &mut self.current {
            Some(source) if source.id == id(&found) => source.look(&found, tell),
            _ => self.open(now_unix_ms, tell).map(|()| true),
        }
    }

    /// Opens what is under the name; what was read so far is the old file then.
    fn open(&mut self, now_unix_ms: u64, tell: &mut Tell<'_>) -> io::Result<()> {
        if !fs::metadata(&self.path)?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
        }
        let source = Source::open(File::open(&self.path)?, self.from_end, now_unix_ms)?;
        self.from_end = false;
        if let Some(mut current) = self.current.replace(source) {
            current.busy_unix_ms = now_unix_ms;
            if let Some(mut older) = self.old.replace(current) {
                older.lines.end(&mut |line| tell(line));
            }
        }
        Ok(())
    }
}

impl Source {
    fn open(mut file: File, from_end: bool, now_unix_ms: u64) -> io::Result<Self> {
        let id = id(&file.metadata()?);
        let read_bytes = if from_end { file.seek(SeekFrom::End(0))? } else { 0 };
        let len = usize::try_from(read_bytes).unwrap_or(MARK).min(MARK);
        let mark = before(&file, read_bytes, len)?;
        let is_whole = mark.last().is_none_or(|last| *last == b'\n');
        let lines = if is_whole { Lines::default() } else { Lines::in_the_middle() };
        Ok(Self { file, id, read_bytes, mark, lines, busy_unix_ms: now_unix_ms })
    }

    /// Reads a piece; `true` if there was anything, or the file was truncated.
    fn read(
        &mut self,
        piece: &mut [u8],
        now_unix_ms: u64,
        tell: &mut Tell<'_>,
    ) -> io::Result<bool> {
        let count = match self.file.read(piece) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            read => read?,
        };
        if count == 0 {
            return Ok(false);
        }
        self.busy_unix_ms = now_unix_ms;
        if !self.is_the_same()? {
            return self.begin(tell).map(|()| true);
        }
        let piece = piece.get(..count).unwrap_or_default();
        self.read_bytes += u64::try_from(count).unwrap_or_default();
        self.remember(piece);
        self.lines.feed(piece, &mut |line| tell(line));
        Ok(true)
    }

    /// Whether what was there before is there still. It isn't if the file was truncated and has
    /// grown again.
    fn is_the_same(&self) -> io::Result<bool> {
        match before(&self.file, self.read_bytes, self.mark.len()) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            bytes => Ok(bytes? == self.mark),
        }
    }

    fn remember(&mut self, piece: &[u8]) {
        self.mark.extend_from_slice(piece.get(piece.len().saturating_sub(MARK)..).unwrap_or(piece));
        self.mark.drain(..self.mark.len().saturating_sub(MARK));
    }

    /// Looks whether the file has become shorter; `true` if so.
    fn look(&mut self, found: &Metadata, tell: &mut Tell<'_>) -> io::Result<bool> {
        if found.len() >= self.read_bytes {
            return Ok(false);
        }
        self.begin(tell).map(|()| true)
    }

    /// The file was truncated: it is read from its begin.
    fn begin(&mut self, tell: &mut Tell<'_>) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.read_bytes = 0;
        self.mark.clear();
        self.lines.end(&mut |line| tell(line));
        Ok(())
    }
}

/// So many bytes before a place in a file.
fn before(file: &File, place_bytes: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let from = place_bytes.saturating_sub(u64::try_from(len).unwrap_or(place_bytes));
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}

fn id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests;
