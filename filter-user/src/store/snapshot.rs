//! A list's entries as bytes: all of them in one value.

use super::record::SavedNote;
use crate::policy::entries::{Collected, Entries, Family};
use zerocopy::little_endian::{U32, U64, U128};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What stands before the notes and rows.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Header {
    /// Of this layout.
    version: U32,
    /// Bytes of the notes, which are JSON.
    notes_bytes: U64,
    /// IPv4 rows.
    v4: U64,
    /// IPv6 rows.
    v6: U64,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Row<A> {
    address: A,
    len: u8,
    note: U32,
}

const VERSION: u32 = 1;

/// Entries as bytes.
///
/// *Errors*: notes that are no JSON, which can't be.
pub(super) fn encode(entries: &Entries) -> Result<Vec<u8>, serde_json::Error> {
    let notes = entries.notes().iter().map(SavedNote::of);
    let notes = serde_json::to_vec(&notes.collect::<Vec<_>>())?;
    let (v4, v6) = (u32::rows(entries), u128::rows(entries));
    let header = Header {
        version: VERSION.into(),
        notes_bytes: U64::new(u64::try_from(notes.len()).unwrap_or(u64::MAX)),
        v4: U64::new(u64::try_from(v4.len()).unwrap_or(u64::MAX)),
        v6: U64::new(u64::try_from(v6.len()).unwrap_or(u64::MAX)),
    };
    let size = notes.len() + v4.len() * size_of::<Row<U32>>() + v6.len() * size_of::<Row<U128>>();
    let mut bytes = Vec::with_capacity(size_of::<Header>() + size);
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(&notes);
    for row in v4 {
        let row = Row { address: U32::new(row.address), len: row.len, note: row.note.into() };
        bytes.extend_from_slice(row.as_bytes());
    }
    for row in v6 {
        let row = Row { address: U128::new(row.address), len: row.len, note: row.note.into() };
        bytes.extend_from_slice(row.as_bytes());
    }
    Ok(bytes)
}

/// Entries out of bytes.
///
/// *Errors*: what is wrong with them.
pub(super) fn decode(bytes: &[u8]) -> Result<Entries, String> {
    let short = || "the snapshot is cut short".to_owned();
    let (header, rest) = Header::ref_from_prefix(bytes).map_err(|_| short())?;
    if header.version.get() != VERSION {
        return Err(format!("a snapshot of version {}, not {VERSION}", header.version));
    }
    let (notes, rest) = split(rest, header.notes_bytes.get(), 1).ok_or_else(short)?;
    let notes: Vec<SavedNote> = serde_json::from_slice(notes).map_err(|error| error.to_string())?;
    let notes: Vec<_> = notes.into_iter().map(SavedNote::note).collect();
    let (v4, v6) = split(rest, header.v4.get(), size_of::<Row<U32>>()).ok_or_else(short)?;
    let v4 = <[Row<U32>]>::ref_from_bytes(v4).map_err(|_| short())?;
    let v6 = <[Row<U128>]>::ref_from_bytes(v6).map_err(|_| short())?;
    if u64::try_from(v6.len()) != Ok(header.v6.get()) {
        return Err(short());
    }
    let mut entries = Collected::with_notes(notes);
    for row in v4 {
        push(&mut entries, row.address.get(), row.len, row.note.get())?;
    }
    for row in v6 {
        push(&mut entries, row.address.get(), row.len, row.note.get())?;
    }
    Ok(entries.finish().0)
}

fn push<A: Family>(entries: &mut Collected, address: A, len: u8, note: u32) -> Result<(), String> {
    if len > A::WIDTH || address.network(len) != address || !entries.push_row(address, len, note) {
        return Err(format!("the snapshot holds a damaged entry, {address:?}/{len}"));
    }
    Ok(())
}

/// So many items of so many bytes each, and the rest.
fn split(bytes: &[u8], count: u64, each: usize) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(usize::try_from(count).ok()?.checked_mul(each)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::note::Note;

    fn some() -> Entries {
        let mut entries = Collected::default();
        let dated = Note { expires_unix_s: 9, comment: "why".into(), ..Note::default() };
        entries.push("192.0.2.0/24".parse().unwrap(), dated);
        entries.push("2001:db8::/32".parse().unwrap(), Note::default());
        entries.push("10.0.0.0/8".parse().unwrap(), Note { shadow: true, ..Note::default() });
        entries.finish().0
    }

    #[test]
    fn entries_read_back() {
        let read = decode(&encode(&some()).unwrap()).unwrap();
        let all = |entries: &Entries| {
            entries.iter().map(|(prefix, note)| (prefix, note.clone())).collect::<Vec<_>>()
        };
        assert_eq!(all(&read), all(&some()));
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        let bytes = encode(&some()).unwrap();
        for len in 0..bytes.len() {
            assert!(decode(&bytes[..len]).is_err(), "{len}");
        }
        let last = bytes.len() - 5;
        for at in [0, 4, 30, last] {
            let mut bad = bytes.clone();
            bad[at] ^= 0xff;
            assert!(decode(&bad).is_err(), "{at}");
        }
    }
}
