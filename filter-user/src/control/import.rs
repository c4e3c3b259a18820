//! The body of an import, read as it arrives.
//!
//! The text is never in memory as a whole, only what it says. A thread of its own reads
//! it: millions of lines must not hold up the daemon's other work.

use super::format::FormatChoice;
use super::handle::Refusal;
use crate::clock::Now;
use crate::policy::entries::Collected;
use crate::policy::import::{Entry, Format, ImportError, Importer, Report};
use crate::policy::note::Note;
use axum::body::{BodyDataStream, Bytes};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;

/// Entries of a text; one with more is refused. At the limit they take 200 MB in IPv4, 500
/// MB in IPv6, and more if each has a comment of its own.
pub(super) const MAX_IMPORT_ENTRIES: usize = 16_000_000;

/// Bytes of a text that its format is told by.
const START_BYTES: usize = 64 << 10;

/// Pieces of the text that wait to be read; then its sender waits.
const CHUNKS: usize = 16;

/// How a text is read.
#[derive(Debug)]
pub(super) struct Reading {
    /// How it is written.
    pub(super) format: FormatChoice,
    /// Entries that it may have.
    pub(super) max_entries: usize,
    /// When it came.
    pub(super) now: Now,
}

impl Reading {
    /// Reads a body to its end, or until it is refused.
    ///
    /// *Errors*: a text that is refused, or cut short.
    ///
    /// *Concurrency*: dropped halfway, it leaves nothing behind.
    pub(super) async fn read(
        self,
        body: &mut BodyDataStream,
    ) -> Result<(Collected, Report), Refusal> {
        let (chunks, mut receiver) = mpsc::channel(CHUNKS);
        let reader =
            tokio::task::spawn_blocking(move || self.read_chunks(&mut || receiver.blocking_recv()));
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| {
                Refusal::Invalid(format!("the list was cut short, nothing was imported: {error}"))
            })?;
            if chunks.send(chunk).await.is_err() {
                // The reader has refused the text; it says why below.
                break;
            }
        }
        drop(chunks);
        reader.await.map_err(|error| Refusal::Failed(format!("the list was not read: {error}")))?
    }

    fn read_chunks(
        self,
        next: &mut dyn FnMut() -> Option<Bytes>,
    ) -> Result<(Collected, Report), Refusal> {
        let (format, start) = self.format(next)?;
        let mut importer = Importer::new(format, self.now.unix_ms / 1000);
        let mut sink = Sink::new(self.max_entries, self.now.unix_ms);
        let mut chunk = Some(Bytes::from(start));
        while let Some(bytes) = chunk {
            importer.feed(&bytes, &mut |entry| sink.take(entry));
            sink.check()?;
            chunk = next();
        }
        let report = importer.finish(&mut |entry| sink.take(entry)).map_err(refused)?;
        sink.check()?;
        Ok((sink.collected, report))
    }

    /// How the text is written, and its start if that was needed to tell.
    fn format(
        &self,
        next: &mut dyn FnMut() -> Option<Bytes>,
    ) -> Result<(Format, Vec<u8>), Refusal> {
        let mut start = Vec::new();
        if let FormatChoice::Said(format) = &self.format {
            return Ok((format.clone(), start));
        }
        while start.len() < START_BYTES
            && let Some(chunk) = next()
        {
            start.extend_from_slice(&chunk);
        }
        let seen = &start[..start.len().min(START_BYTES)];
        // A text without an entry is read as one, to be refused as empty.
        let guess = Format::detect(seen).or_else(|| is_blank(seen).then_some(Format::Plain));
        Ok((guess.ok_or_else(unclear)?, start))
    }
}

/// Whether a text has comments and blank lines alone.
fn is_blank(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.all(|line| matches!(line, [] | [b'#' | b';', ..]))
}

fn unclear() -> Refusal {
    Refusal::Invalid(
        "the first line doesn't tell the list's format, nothing was imported; say it with \
         --format: plain, netset, ipset, csv:COLUMN, such as csv:2, csv:ip or csv:1-2, json, or \
         json:FIELD"
            .into(),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "map_err passes a value")]
fn refused(error: ImportError) -> Refusal {
    Refusal::Invalid(error.to_string())
}

/// Where the entries go.
#[derive(Debug)]
struct Sink {
    collected: Collected,
    max_entries: usize,
    overflown: bool,
    added_unix_ms: u64,
    /// The last comment: most entries share theirs with the one before.
    comment: Arc<str>,
}

impl Sink {
    fn new(max_entries: usize, added_unix_ms: u64) -> Self {
        let collected = Collected::default();
        Self { collected, max_entries, overflown: false, added_unix_ms, comment: "".into() }
    }

    fn take(&mut self, entry: Entry<'_>) {
        if self.collected.len() >= self.max_entries {
            self.overflown = true;
            return;
        }
        if *self.comment != *entry.comment {
            self.comment = entry.comment.into();
        }
        let note = Note {
            expires_unix_s: entry.expires_unix_s,
            added_unix_ms: self.added_unix_ms,
            shadow: false,
            comment: Arc::clone(&self.comment),
        };
        self.collected.push(entry.prefix, note);
    }

    fn check(&self) -> Result<(), Refusal> {
        if !self.overflown {
            return Ok(());
        }
        let max = self.max_entries;
        let text = format!(
            "the list has more than {max} entries, which is all that an import takes; nothing \
             was imported"
        );
        Err(Refusal::Conflict(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, max_entries: usize, text: &str) -> Result<(usize, Report), Refusal> {
        let format = format.parse().unwrap();
        let now = Now { ktime_ns: 0, unix_ms: 1_800_000_000_000 };
        let mut chunks = text.as_bytes().chunks(7).map(Bytes::copy_from_slice);
        let reading = Reading { format, max_entries, now };
        let read = reading.read_chunks(&mut || chunks.next());
        read.map(|(collected, report)| (collected.len(), report))
    }

    #[test]
    fn a_format_is_found_out_or_taken_as_said() {
        assert_eq!(read("auto", 9, "# x\n192.0.2.1\n192.0.2.2 # why").unwrap().0, 2);
        assert_eq!(read("auto", 9, "when,ip\n1,192.0.2.1\n").unwrap().0, 1);
        assert_eq!(read("csv:2", 9, "192.0.2.1,192.0.2.9\n").unwrap().0, 1);
        assert!(read("plain", 9, "when,ip\n1,192.0.2.1\n").is_err());
    }

    #[test]
    fn a_format_that_is_not_plain_to_see_is_asked_for() {
        let Err(Refusal::Invalid(text)) = read("auto", 9, "<html>") else { panic!("taken") };
        assert!(text.contains("csv:COLUMN") && text.contains("ipset"), "{text}");
    }

    #[test]
    fn a_text_without_entries_is_empty() {
        for text in ["", "\n", "# only\r\n\n; this", "\u{feff}# x\n"] {
            let Err(Refusal::Invalid(said)) = read("auto", 9, text) else { panic!("{text:?}") };
            assert!(said.contains("empty"), "{text:?} gave {said}");
        }
    }

    #[test]
    fn too_many_entries_are_refused_at_the_first_of_them() {
        let text = "192.0.2.1\n192.0.2.2\n";
        assert_eq!(read("plain", 2, text).unwrap().0, 2);
        assert!(matches!(read("plain", 1, text), Err(Refusal::Conflict(_))));
        // The last line comes to light at the end only.
        assert!(matches!(read("plain", 1, text.trim_end()), Err(Refusal::Conflict(_))));
    }

    #[test]
    fn entries_share_what_is_said_of_them() {
        let now = Now { ktime_ns: 0, unix_ms: 5000 };
        let format = FormatChoice::Auto;
        let reading = Reading { format, max_entries: 9, now };
        let text = "192.0.2.1 # a\n192.0.2.2 # a\n192.0.2.3\n192.0.2.4\n";
        let mut chunks = Some(Bytes::from_static(text.as_bytes())).into_iter();
        let (collected, _) = reading.read_chunks(&mut || chunks.next()).unwrap();
        let (entries, _) = collected.finish();
        assert_eq!(entries.notes().len(), 2);
        let note = entries.get(&"192.0.2.2/32".parse().unwrap()).unwrap();
        assert_eq!((&*note.comment, note.added_unix_ms, note.shadow), ("a", 5000, false));
    }
}
