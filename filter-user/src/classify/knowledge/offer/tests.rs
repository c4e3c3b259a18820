//! Offers that are taken and refused, signed as publishers sign.

use super::super::file::SHIPPED;
use super::*;
use minisign::KeyPair;
use std::io::Cursor;

/// A publisher.
struct Publisher(KeyPair);

impl Publisher {
    fn new() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().unwrap())
    }

    fn key(&self) -> PublicKey {
        self.0.pk.to_base64().parse().unwrap()
    }

    fn sign(&self, text: &str) -> String {
        let text = Cursor::new(text);
        minisign::sign(Some(&self.0.pk), &self.0.sk, text, None, None).unwrap().into_string()
    }
}

fn read(
    keys: &[PublicKey],
    text: &str,
    signature: Option<&str>,
) -> Result<Option<String>, OfferError> {
    Offer { text, signature }.read(keys).map(|(_, signer)| signer)
}

fn refused(keys: &[PublicKey], text: &str, signature: Option<&str>) -> SignatureError {
    match read(keys, text, signature) {
        Err(OfferError::Signature(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_of_the_keys_must_have_signed() {
    let [ours, theirs] = [Publisher::new(), Publisher::new()];
    let keys = [theirs.key(), ours.key()];
    let signature = ours.sign(SHIPPED);
    assert_eq!(read(&keys, SHIPPED, Some(&signature)).unwrap(), Some(ours.key().id()));
    assert_eq!(refused(&keys, SHIPPED, None), SignatureError::Missing);
    let stranger = SignatureError::Stranger(ours.key().id());
    assert_eq!(refused(&keys[..1], SHIPPED, Some(&signature)), stranger);
    assert_eq!(read(&[], SHIPPED, Some(&signature)).unwrap(), None);
}

#[test]
fn a_key_is_called_as_minisign_calls_it() {
    let publisher = Publisher::new();
    let written = publisher.0.pk.to_box().unwrap().to_string();
    assert!(written.lines().next().unwrap().ends_with(&publisher.key().id()), "{written}");
}

#[test]
fn a_changed_text_or_signature_is_refused() {
    let publisher = Publisher::new();
    let keys = [publisher.key()];
    let signature = publisher.sign(SHIPPED);
    let wrong = SignatureError::Wrong(publisher.key().id());
    let text = SHIPPED.replacen("permutes = true", "permutes = false", 1);
    assert_eq!(refused(&keys, &text, Some(&signature)), wrong);
    assert_eq!(refused(&keys, &SHIPPED.replace('\n', "\r\n"), Some(&signature)), wrong);
    let other = publisher.sign("format = 1\n");
    assert_eq!(refused(&keys, SHIPPED, Some(&other)), wrong);
    let comment = signature.replace("timestamp:", "timestamp:9");
    assert_eq!(refused(&keys, SHIPPED, Some(&comment)), wrong);
    let trailing = signature.lines().map(str::len).sum::<usize>() + 3;
    for end in (0..trailing).filter(|end| signature.is_char_boundary(*end)) {
        refused(&keys, SHIPPED, Some(&signature[..end]));
    }
}

#[test]
fn a_text_is_read_only_once_its_signature_is_good() {
    let publisher = Publisher::new();
    let keys = [publisher.key()];
    let signature = publisher.sign("format = 2\n");
    assert!(matches!(
        read(&keys, "format = 2\n", Some(&signature)),
        Err(OfferError::Knowledge(KnowledgeError::Format { found: 2 }))
    ));
    assert!(matches!(refused(&keys, "format = 3\n", Some(&signature)), SignatureError::Wrong(_)));
}

#[test]
fn signatures_of_old_versions_count() {
    let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse().unwrap();
    let signature = "untrusted comment: signature from minisign secret key
RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=
trusted comment: timestamp:1555779966\tfile:test
QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==";
    assert_eq!(PublicKey::verify(&[key], "test", Some(signature)).unwrap(), "E7620F1842B4E81F");
}

#[test]
fn a_long_text_is_not_looked_at() {
    let text = "#".repeat(MAX_BYTES + 1);
    assert!(matches!(read(&[], &text, None), Err(OfferError::TooLong(_))));
    let knowledge = read(&[], &text[1..], None);
    assert!(matches!(knowledge, Err(OfferError::Knowledge(_))));
}

fn of_day(text: &str) -> Knowledge {
    Knowledge::parse(&format!("format = 1\nas_of = \"{text}\"\n")).unwrap()
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

#[test]
fn an_older_file_or_one_of_the_future_may_not_follow() {
    let present = day("2026-11-22");
    let follows = |offered, today| of_day(offered).may_follow(present, day(today));
    assert!(follows("2026-11-22", "2026-12-01").is_ok());
    assert!(follows("2026-12-02", "2026-12-01").is_ok());
    let older = follows("2026-11-21", "2026-12-01").unwrap_err().to_string();
    assert!(older.contains("of 2026-11-21, older") && older.contains("--force"), "{older}");
    let ahead = follows("2027-12-01", "2026-12-01").unwrap_err().to_string();
    assert!(ahead.contains("today is 2026-12-01"), "{ahead}");
}

#[test]
fn a_newer_release_takes_the_place_of_an_import() {
    let [past, then, later] = ["2026-01-01", "2026-11-22", "2027-01-01"].map(day);
    let shipped = of_day("2026-11-22");
    assert!(shipped.supersedes(past, past));
    // It was imported, or forced, into this very release.
    assert!(!shipped.supersedes(then, then) && !shipped.supersedes(past, then));
    assert!(!shipped.supersedes(later, past));
}
