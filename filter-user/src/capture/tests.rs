mod quic;

use super::*;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::io::Cursor;

const ETHERNET: u16 = 1;

fn corpus(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus").join(folder)
}

fn read_json(path: &Path) -> Vec<Value> {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn rows_of(files: &[PathBuf]) -> (Vec<Value>, Summary) {
    let mut out = Vec::new();
    let summary = run(files, EngineKind::Host, true, &mut out).unwrap();
    let lines = out.split(|&b| b == b'\n').filter(|line| !line.is_empty());
    (lines.map(|line| serde_json::from_slice(line).unwrap()).collect(), summary)
}

fn text_of(files: &[PathBuf]) -> (String, Summary) {
    let mut out = Cursor::new(Vec::new());
    let summary = run(files, EngineKind::Host, false, &mut out).unwrap();
    (String::from_utf8(out.into_inner()).unwrap(), summary)
}

#[test]
fn every_labelled_hello_is_told_as_it_was() {
    let labels = read_json(&corpus("hellos/labels.json"));
    let mut expected: HashMap<(String, u64), &Value> = HashMap::new();
    for label in &labels {
        let file = corpus("hellos").join(label["pcap"].as_str().unwrap());
        let key = (file.display().to_string(), label["sport"].as_u64().unwrap());
        assert!(expected.insert(key, label).is_none());
    }
    let mut files: Vec<PathBuf> = expected.keys().map(|(file, _)| file.into()).collect();
    files.sort();
    files.dedup();
    let (rows, summary) = rows_of(&files);
    assert!(summary.failures.is_empty() && summary.unfingerprintable.is_empty());
    assert_eq!((rows.len(), summary.hellos()), (213, 213));
    for row in rows {
        let key = (row["file"].as_str().unwrap().to_owned(), row["sport"].as_u64().unwrap());
        let label = expected.remove(&key).unwrap();
        for field in ["sni", "alpn", "ja4", "ja4_r", "ja3", "segments"] {
            assert_eq!(row[field], label[field], "{field} of {key:?}");
        }
    }
    assert!(expected.is_empty());
}

#[test]
fn no_evasion_yields_a_wrong_fingerprint() {
    let conflict = Some("conflict");
    for label in read_json(&corpus("evasion/expected.json")) {
        let name = label["pcap"].as_str().unwrap();
        let (rows, summary) = rows_of(&[corpus("evasion").join(name)]);
        assert!(summary.failures.is_empty(), "{name}");
        if label.get("ja4").is_none_or(Value::is_null) {
            assert!(rows.is_empty(), "{name}: {rows:?}");
            continue;
        }
        assert_eq!(rows.len(), 1, "{name}");
        let row = &rows[0];
        if name.starts_with("overlap-conflict") {
            assert_eq!((row["cause"].as_str(), &row["ja4"]), (conflict, &Value::Null));
            continue;
        }
        for field in ["sni", "ja4", "ja4_r", "ja3"] {
            assert_eq!(row[field], label[field], "{field} of {name}");
        }
    }
}

#[test]
fn the_keys_of_a_row_are_stable() {
    let mut out = Vec::new();
    run(&[corpus("evasion/noext.pcap")], EngineKind::Host, true, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let keys: Vec<&str> =
        text.split('"').filter(|key| text.contains(&format!("\"{key}\":"))).collect();
    assert_eq!(
        keys,
        [
            "file", "src", "sport", "dst", "dport", "sni", "alpn", "ja4", "ja4_r", "ja3",
            "segments", "status", "cause"
        ]
    );
}

#[test]
fn the_table_has_a_line_for_each_hello() {
    let (text, summary) = text_of(&[corpus("hellos/chromium.pcap")]);
    let hellos = usize::try_from(summary.hellos()).unwrap();
    assert_eq!(text.lines().count(), hellos + 3, "{text}");
    assert!(text.lines().all(|line| line.len() < 160), "{text}");
    let line = summary.line(std::time::Duration::from_millis(1500));
    assert!(line.contains("packets in 1 files, 1.50 s"), "{line}");
}

/// A capture file made of packets, each with its length on the wire.
fn pcap(link: u16, packets: &[(&[u8], usize)]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    file.extend([0; 8]);
    file.extend(96_u32.to_le_bytes());
    file.extend(u32::from(link).to_le_bytes());
    for (at, (bytes, wire_len)) in (0_u32..).zip(packets) {
        file.extend([at / 1000, at % 1000 * 1000].map(u32::to_le_bytes).concat());
        let captured = u32::try_from(bytes.len()).unwrap();
        let wire_len = u32::try_from(*wire_len).unwrap();
        file.extend([captured, wire_len].map(u32::to_le_bytes).concat());
        file.extend(*bytes);
    }
    file
}

/// The frames of a file of the corpus.
fn frames(name: &str) -> Vec<Vec<u8>> {
    let mut capture = Capture::open(&corpus(name)).unwrap();
    let mut frames = Vec::new();
    while let Some(packet) = capture.next_packet().unwrap() {
        frames.push(packet.bytes.to_vec());
    }
    frames
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
    let len = u32::try_from(body.len() + padding.len() + 12).unwrap().to_be_bytes();
    [&kind.to_be_bytes()[..], &len, body, &padding, &len].concat()
}

/// The same as pcapng in the other byte order, with two interfaces and all three blocks
/// that hold packets.
fn pcapng(frames: &[Vec<u8>]) -> Vec<u8> {
    let section = [&[0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0][..], &[0xff; 8]].concat();
    let interface = |link: u8| block(1, &[0, link, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 9, 0, 0, 0]);
    let mut file = [block(0x0a0d_0d0a, &section), interface(1), interface(101)].concat();
    for (at, frame) in frames.iter().enumerate() {
        let len = u32::try_from(frame.len()).unwrap().to_be_bytes();
        let ip_len = u32::try_from(frame.len() - 14).unwrap().to_be_bytes();
        file.extend(match at % 3 {
            0 => {
                let head = [&[0, 0, 0, 1][..], &[0; 8], &ip_len, &ip_len].concat();
                block(6, &[&head, &frame[14..]].concat())
            }
            1 => block(3, &[&len, &frame[..]].concat()),
            _ => block(2, &[&[0; 12][..], &len, &len, frame].concat()),
        });
        file.extend(block(5, &[0; 12]));
    }
    file
}

fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    file
}

fn rows_in(bytes: &[u8]) -> (Vec<Value>, Summary) {
    let file = written(bytes);
    rows_of(&[file.path().to_owned()])
}

#[test]
fn pcapng_says_the_same_as_pcap() {
    let frames = frames("hellos/chromium.pcap");
    let (expected, _) = rows_of(&[corpus("hellos/chromium.pcap")]);
    let (rows, summary) = rows_in(&pcapng(&frames));
    assert!(summary.failures.is_empty(), "{:?}", summary.failures);
    let told = |rows: &[Value]| -> Vec<(Value, Value)> {
        rows.iter().map(|row| (row["sport"].clone(), row["ja4_r"].clone())).collect()
    };
    assert_eq!(told(&rows), told(&expected));
}

#[test]
fn a_capture_that_cuts_packets_is_truncated_and_never_wrong() {
    let frames = frames("evasion/mss1460.pcap");
    let cut = |len: usize| -> Vec<u8> {
        let packets: Vec<(&[u8], usize)> =
            frames.iter().map(|f| (&f[..f.len().min(len)], f.len())).collect();
        pcap(ETHERNET, &packets)
    };
    for len in (14..1600).step_by(43) {
        let (rows, summary) = rows_in(&cut(len));
        assert!(summary.failures.is_empty());
        let causes: Vec<Option<&str>> = rows.iter().map(|row| row["cause"].as_str()).collect();
        match len {
            0..60 => {}
            60..1514 => assert_eq!(causes, [Some("truncated")], "{len} bytes"),
            _ => assert_eq!(causes, [None], "{len} bytes"),
        }
    }
}

#[test]
fn every_strict_prefix_of_a_file_has_its_rows_and_an_error() {
    let whole = fs::read(corpus("hellos/node-http2.pcap")).unwrap();
    let (expected, _) = rows_in(&whole);
    for bytes in [whole, pcapng(&frames("hellos/node-http2.pcap"))] {
        let mut complete = 0;
        for len in (0..bytes.len()).step_by(97) {
            let (rows, summary) = rows_in(&bytes[..len]);
            let ok: Vec<&Value> = rows.iter().filter(|row| row["status"] == "ok").collect();
            assert!(ok.len() <= expected.len());
            assert!(ok.iter().zip(&expected).all(|(row, known)| row["ja4"] == known["ja4"]));
            complete += usize::from(summary.failures.is_empty());
        }
        assert!(complete < 9, "a cut between packets is no damage, any other is: {complete}");
    }
}

#[test]
fn an_error_names_file_packet_and_place() {
    let mut bytes = fs::read(corpus("hellos/node-http2.pcap")).unwrap();
    bytes.pop();
    let file = written(&bytes);
    let (rows, summary) = rows_of(&[file.path().to_owned(), corpus("evasion/noext.pcap")]);
    assert!(rows.iter().any(|row| row["file"].as_str().unwrap().ends_with("noext.pcap")));
    let [error] = &summary.failures[..] else {
        unreachable!("{:?}", summary.failures);
    };
    assert!(matches!(error.damage, Damage::Truncated));
    let text = error.to_string();
    assert!(text.starts_with(&file.path().display().to_string()), "{text}");
    assert!(text.contains(": packet ") && text.contains(" at byte "), "{text}");
}

#[test]
fn what_is_no_capture_is_refused_with_a_reason() {
    let message = |bytes: &[u8]| rows_in(bytes).1.failures[0].to_string();
    assert!(message(b"").contains("empty"));
    assert!(message(b"hello, world").contains("no pcap or pcapng file"));
    assert!(message(&[0x1f, 0x8b, 8, 0, 0]).contains("gunzip"));
    assert!(message(&pcap(127, &[(&[0; 60], 60)])).contains("802.11 with radiotap"));
    let (_, summary) = rows_of(&["/nonexistent.pcap".into()]);
    assert!(matches!(summary.failures[0].damage, Damage::Io(_)));
}

#[test]
fn a_mutated_file_never_panics() {
    let frames = frames("hellos/node-http2.pcap");
    let classic = fs::read(corpus("hellos/node-http2.pcap")).unwrap();
    for bytes in [classic, pcapng(&frames)] {
        for at in (0..bytes.len().min(320)).step_by(5) {
            for value in [0, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] = value;
                let _ = rows_in(&bytes);
            }
        }
    }
}
