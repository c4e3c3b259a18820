//! Claims about all formats, and what the tests of each need.

use super::*;
use crate::policy::import::expiry::LAST_UNIX_S;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An entry that outlives its line.
pub(super) type Owned = (String, u64, String);

/// The `now` of all tests.
pub(super) const NOW: u64 = 1_800_000_000;

const FORMATS: &[&str] =
    &["plain", "netset", "ipset", "json", "json:ip", "csv:1", "csv:1-2", "csv:ip", "csv:2:tab"];

/// Reads a list in pieces of `piece` bytes.
pub(super) fn read_pieces(
    format: &str,
    text: &[u8],
    piece: usize,
) -> (Vec<Owned>, Result<Report, ImportError>) {
    let mut entries = Vec::new();
    let mut sink = |entry: Entry<'_>| {
        let comment = entry.comment.to_owned();
        entries.push((entry.prefix.to_string(), entry.expires_unix_s, comment));
    };
    let mut importer = Importer::new(format.parse().unwrap(), NOW);
    text.chunks(piece).for_each(|bytes| importer.feed(bytes, &mut sink));
    let result = importer.finish(&mut sink);
    (entries, result)
}

/// What a good list says.
pub(super) fn read(format: &str, text: impl AsRef<[u8]>) -> Vec<Owned> {
    let (entries, result) = read_pieces(format, text.as_ref(), usize::MAX);
    result.unwrap();
    entries
}

/// The prefixes of a good list.
pub(super) fn prefixes(format: &str, text: impl AsRef<[u8]>) -> Vec<String> {
    read(format, text).into_iter().map(|(prefix, ..)| prefix).collect()
}

/// The error of a bad list.
pub(super) fn refused(format: &str, text: impl AsRef<[u8]>) -> String {
    read_pieces(format, text.as_ref(), usize::MAX).1.unwrap_err().to_string()
}

#[test]
fn an_empty_list_is_refused_in_every_format() {
    for format in FORMATS {
        for text in ["", "\n", "\u{feff}", " \r\n\t\n"] {
            let (_, result) = read_pieces(format, text.as_bytes(), 1);
            assert_eq!(result, Err(ImportError::Empty), "{format} {text:?}");
        }
    }
    for format in ["plain", "netset", "ipset", "csv:1", "csv:ip"] {
        let (_, result) = read_pieces(format, b"# nothing, really\n", 1);
        assert_eq!(result, Err(ImportError::Empty), "{format}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_in_every_format() {
    for format in FORMATS {
        assert!(refused(format, b"\n# \xff\n").contains("line 2: bytes that are no UTF-8"));
        assert!(refused(format, b"# \0\n").contains("line 1: a NUL byte"));
        assert!(refused(format, vec![b'#'; 5000]).contains("line 1: longer than 4096 bytes"));
        assert!(refused(format, b"\xff\xfe1\0.\0\n\0").contains("line 1: bytes that are no UTF-8"));
    }
}

#[test]
fn a_list_with_bad_lines_is_refused_whole_and_they_are_counted() {
    let text = "192.0.2.1\n".to_owned() + &"x\n192.0.2.2\n".repeat(1000);
    let (entries, result) = read_pieces("plain", text.as_bytes(), 7);
    assert_eq!(entries.len(), 1, "nothing goes to the sink after the first bad line");
    let Err(ImportError::BadLines { total, shown }) = result else { panic!("{result:?}") };
    assert_eq!((total, shown.len()), (1000, 20));
    assert!(shown[0].starts_with("line 2: \"x\" is no address"), "{}", shown[0]);
}

#[test]
fn a_line_without_end_takes_no_memory_and_is_one_bad_line() {
    let mut importer = Importer::new(Format::Plain, NOW);
    let mut sink = |_: Entry<'_>| ();
    let piece = vec![b'1'; 1 << 16];
    (0..1000).for_each(|_| importer.feed(&piece, &mut sink));
    importer.feed(b"\n192.0.2.1\nx", &mut sink);
    let error = importer.finish(&mut sink).unwrap_err().to_string();
    assert!(error.starts_with("2 bad lines") && error.contains("line 3: \"x\""), "{error}");
}

#[test]
fn host_bits_are_counted_and_the_first_line_is_named() {
    let (entries, result) = read_pieces("plain", b"192.0.2.0/24\n192.0.2.1/24\n::1/64\n", 3);
    assert_eq!(entries.len(), 3);
    let report = result.unwrap();
    assert_eq!((report.had_host_bits, report.first_host_bits_line), (2, Some(2)));
    assert_eq!((report.entries, report.expired), (3, 0));
}

#[test]
fn a_list_of_expired_entries_is_not_an_empty_one() {
    let (entries, result) = read_pieces("plain", b"192.0.2.0/24 1970-01-01T00:00:00Z\n", 3);
    assert!(entries.is_empty());
    assert_eq!(result, Ok(Report { expired: 1, ..Report::default() }));
}

#[test]
fn the_whole_list_at_once_counts_duplicates() {
    let list = parse(b"# feed\r\n192.0.2.0/24 # why\r\n\r\n  2001:db8::1\n192.0.2.5/24\n").unwrap();
    assert_eq!(list.prefixes.len(), 2);
    assert_eq!((list.duplicates, list.had_host_bits), (1, 1));
    assert!(parse(b"192.0.2.0/24 expires=4h\n").is_err(), "it could not keep the time");
}

/// Pieces of lists, good and bad, so that random texts get past the first check.
const WORDS: &[&str] = &[
    "192.0.2.1",
    "10.0.0.0/8",
    "/33",
    "2001:db8::/32",
    "::ffff:192.0.2.1",
    "-",
    " - ",
    " ",
    "\n",
    "\r\n",
    "\n",
    "#",
    ";",
    ",",
    "\t",
    "\"",
    "{",
    "}",
    "\"ip\":",
    "\"expires\":",
    "null",
    "9e99",
    "add x ",
    "create x hash:ip ",
    "timeout ",
    "comment ",
    "nomatch",
    "expires=",
    "4h",
    "ip",
    "2026-12-01T00:00:00Z",
    "2027-12-01T00:00:00.5Z",
    "\0",
    "\u{feff}",
    "ü",
    "0",
    "é\u{85}",
    "[",
];

fn soup() -> impl Strategy<Value = Vec<u8>> {
    let word = select(WORDS).prop_map(|word| word.as_bytes().to_vec());
    let noise = vec(any::<u8>(), 0..4);
    let long = (4000_usize..4200).prop_map(|len| vec![b'a'; len]);
    let piece = prop_oneof![40 => word, 2 => noise, 1 => long];
    vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

fn prefix() -> impl Strategy<Value = IpNet> {
    let v4 = (any::<u32>(), 0_u8..=32)
        .prop_map(|(bits, len)| IpNet::new(Ipv4Addr::from(bits).into(), len).unwrap());
    let v6 = (any::<u128>(), 0_u8..=128)
        .prop_map(|(bits, len)| IpNet::new(Ipv6Addr::from(bits).into(), len).unwrap());
    prop_oneof![v4, v6].prop_map(|prefix| prefix.trunc())
}

proptest! {
    #[test]
    fn bytes_never_panic_and_pieces_never_matter(text in soup(), piece in 1_usize..40) {
        for format in FORMATS {
            prop_assert_eq!(read_pieces(format, &text, piece), read_pieces(format, &text, 5000));
        }
        let _ = Format::detect(&text);
    }

    #[test]
    fn random_bytes_never_panic(text in vec(any::<u8>(), 0..2000)) {
        for format in FORMATS {
            let _ = read_pieces(format, &text, 100);
        }
    }

    #[test]
    fn a_list_that_was_written_reads_back(
        list in vec((prefix(), prop_oneof![Just(0), NOW + 1..=LAST_UNIX_S], any::<String>()), 1..20),
    ) {
        let mut text = String::new();
        for (prefix, expires_unix_s, comment) in &list {
            let entry = Entry { prefix: *prefix, expires_unix_s: *expires_unix_s, comment };
            write_entry(&mut text, entry).unwrap();
        }
        let expected: Vec<Owned> = list
            .iter()
            .map(|(prefix, expires, comment)| {
                (prefix.to_string(), *expires, comment::clean(comment).into_owned())
            })
            .collect();
        prop_assert_eq!(read("plain", &text), expected);
    }
}
