//! QUIC in captures.

use super::*;

#[test]
fn every_labelled_quic_hello_is_told_as_it_was() {
    let labels = read_json(&corpus("quic/labels.json"));
    let mut files: Vec<PathBuf> =
        labels.iter().map(|label| corpus("quic").join(label["pcap"].as_str().unwrap())).collect();
    files.dedup();
    let (rows, summary) = rows_of(&files);
    assert!(summary.failures.is_empty() && summary.unfingerprintable.is_empty());
    assert_eq!(rows.len(), labels.len());
    for (row, label) in rows.iter().zip(&labels) {
        assert!(row["file"].as_str().unwrap().ends_with(label["pcap"].as_str().unwrap()));
        for field in ["src", "sport", "sni", "alpn", "ja4", "ja4_r", "ja3"] {
            assert_eq!(row[field], label[field], "{field} of {label}");
        }
        assert_eq!(row["segments"], label["datagrams"], "{label}");
    }
}

#[test]
fn a_capture_that_cuts_datagrams_is_truncated_and_never_wrong() {
    let frames = frames("quic/chromium.pcap");
    for len in (14..1300).step_by(43) {
        let packets: Vec<(&[u8], usize)> =
            frames.iter().map(|f| (&f[..f.len().min(len)], f.len())).collect();
        let (rows, summary) = rows_in(&pcap(ETHERNET, &packets));
        assert!(summary.failures.is_empty());
        let causes: Vec<Option<&str>> = rows.iter().map(|row| row["cause"].as_str()).collect();
        match len {
            // Its header tells the connection in 60 bytes.
            0..60 => assert!(causes.is_empty(), "{len} bytes"),
            60..1292 => assert_eq!(causes, [Some("truncated")], "{len} bytes"),
            _ => assert_eq!(causes, [None], "{len} bytes"),
        }
    }
}

#[test]
fn a_lost_datagram_leaves_no_fingerprint() {
    let frames = frames("quic/chromium.pcap");
    // The first two hold the hello; later ones repeat it.
    let lost: Vec<(&[u8], usize)> = frames[1..2].iter().map(|f| (&f[..], f.len())).collect();
    let (rows, _) = rows_in(&pcap(ETHERNET, &lost));
    let causes: Vec<Option<&str>> = rows.iter().map(|row| row["cause"].as_str()).collect();
    assert!(matches!(causes[..], [Some("gap" | "timed-out")]), "{causes:?}");
}
