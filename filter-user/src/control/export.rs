//! A list's entries as a reply of any length.

use crate::policy::entries::Entries;
use crate::policy::import::{Entry, write_entry};
use axum::body::Body;
use std::convert::Infallible;
use std::fmt::Write;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// The entries as a plain list, which an import takes back.
///
/// *Concurrency*: a thread of its own writes the text, no faster than it is read; it ends
/// when nobody reads any more.
pub(super) fn body(name: String, entries: Entries) -> Body {
    let (chunks, receiver) = mpsc::channel(CHUNKS);
    tokio::task::spawn_blocking(move || {
        write(&name, &entries, &mut |chunk| {
            chunks.blocking_send(Ok::<_, Infallible>(chunk)).is_ok()
        });
    });
    Body::from_stream(ReceiverStream::new(receiver))
}

/// Pieces of the text that wait to be read.
const CHUNKS: usize = 4;

/// Bytes of such a piece; the last line may go past it.
const CHUNK_BYTES: usize = 64 << 10;

/// Bytes of the longest line: a prefix, a time, and a comment of 200 characters.
const LINE_BYTES: usize = 1 << 10;

/// Hands the text to `each` in pieces until it says that nobody wants more.
fn write(name: &str, entries: &Entries, each: &mut dyn FnMut(String) -> bool) {
    let mut text = header(name, entries);
    for (prefix, note) in entries.iter() {
        let expires_unix_s = note.expires_unix_s;
        // A `String` takes everything.
        let _ = write_entry(&mut text, Entry { prefix, expires_unix_s, comment: &note.comment });
        if text.len() >= CHUNK_BYTES {
            let fresh = String::with_capacity(CHUNK_BYTES + LINE_BYTES);
            if !each(std::mem::replace(&mut text, fresh)) {
                return;
            }
        }
    }
    each(text);
}

fn header(name: &str, entries: &Entries) -> String {
    let mut text = format!("# palisade list {name}, {} entries\n", entries.len());
    let shadows = entries.iter().filter(|(_, note)| note.shadow).count();
    if shadows > 0 {
        let _ = writeln!(
            text,
            "# {shadows} of them only count (shadow): a plain list can't say so, and they act \
             where it is imported"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::note::Note;

    fn written(entries: &Entries) -> Vec<String> {
        let mut chunks = Vec::new();
        write("block", entries, &mut |chunk| {
            chunks.push(chunk);
            true
        });
        chunks
    }

    #[test]
    fn an_export_says_what_it_is_and_has_every_entry() {
        let mut entries = Entries::default();
        let note = Note { expires_unix_s: 1_796_083_200, comment: "why".into(), ..Note::default() };
        entries.insert(&"192.0.2.0/24".parse().unwrap(), note);
        entries.insert(&"2001:db8::/32".parse().unwrap(), Note { shadow: true, ..Note::default() });
        let text = written(&entries).concat();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "# palisade list block, 2 entries");
        assert!(lines[1].starts_with("# 1 of them only count"));
        assert_eq!(lines[2..], ["192.0.2.0/24 2026-12-01T00:00:00Z # why", "2001:db8::/32"]);
    }

    #[test]
    fn a_long_export_comes_in_pieces_and_stops_when_nobody_reads() {
        let mut entries = Entries::default();
        for host in 0..10_000_u32 {
            let prefix = ipnet::Ipv4Net::from(std::net::Ipv4Addr::from_bits(host));
            entries.insert(&prefix.into(), Note::default());
        }
        let chunks = written(&entries);
        assert!(chunks.len() > 1, "{}", chunks.len());
        assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK_BYTES + LINE_BYTES));
        assert_eq!(chunks.concat().lines().count(), 10_001);
        let mut read = 0;
        write("block", &entries, &mut |_| {
            read += 1;
            false
        });
        assert_eq!(read, 1);
    }
}
