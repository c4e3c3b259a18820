//! JA4 of a TLS client.
//!
//! *Source*: FoxIO's technical details of JA4 (BSD-3-Clause). No other method of that
//! family is implemented: their licence differs.

use super::hex;
use super::list::Lists;
use filter_common::abi::rule::Parts;
use filter_common::wire::client_hello::is_grease;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use zerocopy::network_endian::U16;

const LEN: usize = 36;
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;

/// A JA4 fingerprint.
///
/// *Shape*: 36 ASCII characters in three parts, `t13d1516h2_8daaf6152771_e5627efa2ab1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ja4([u8; LEN]);

/// What a ClientHello travelled over: the first letter of its JA4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TLS records on TCP, `t`.
    Tcp,
    /// CRYPTO frames of QUIC, `q`.
    Quic,
}

impl Transport {
    /// Its letter in a JA4.
    #[must_use]
    pub const fn letter(self) -> u8 {
        match self {
            Self::Tcp => b't',
            Self::Quic => b'q',
        }
    }
}

impl Ja4 {
    /// Fingerprints a ClientHello.
    pub(super) fn of(lists: &Lists<'_>, transport: Transport) -> Self {
        let Raw { text, middle, last } = Raw::of(lists, transport);
        let mut prefix = [0; 10];
        prefix.copy_from_slice(&text.as_bytes()[..10]);
        Self::join(prefix, hash(&text[middle]), hash(&text[last..]))
    }

    /// A fingerprint that the program has made.
    pub(super) const fn of_kernel(text: [u8; LEN]) -> Option<Self> {
        if text.is_ascii() { Some(Self(text)) } else { None }
    }

    /// The fingerprint in the program's numbers; `None` if they are none.
    #[must_use]
    pub fn of_parts(parts: &Parts) -> Option<Self> {
        let [low, high] = parts.a.map(u64::to_le_bytes);
        let mut text = [b'_'; LEN];
        text[..8].copy_from_slice(&low);
        text[8..10].copy_from_slice(&high[..2]);
        for (at, sum) in [(11, parts.b), (24, parts.c)] {
            let mut digits = [0; 12];
            hex::write(&mut digits, &sum.to_be_bytes()[2..]);
            text[at..at + 12].copy_from_slice(&digits);
        }
        fault(&text).is_none().then_some(Self(text))
    }

    fn join(prefix: [u8; 10], middle: [u8; 12], last: [u8; 12]) -> Self {
        let mut text = [b'_'; LEN];
        text[..10].copy_from_slice(&prefix);
        text[11..23].copy_from_slice(&middle);
        text[24..].copy_from_slice(&last);
        Self(text)
    }

    /// The whole of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in, so there is always a text.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// What its hello travelled over.
    pub(super) fn transport(&self) -> Transport {
        if self.0[0] == Transport::Quic.letter() { Transport::Quic } else { Transport::Tcp }
    }

    /// Its three parts, each a key of its own: version and counts, ciphers, extensions
    /// with signature algorithms.
    #[must_use]
    pub fn parts(&self) -> [&str; 3] {
        let text = self.as_str();
        [&text[..10], &text[11..23], &text[24..]]
    }
}

/// A fingerprint before hashing.
pub(super) struct Raw {
    pub(super) text: String,
    /// Where the ciphers are.
    middle: Range<usize>,
    /// Where extensions and signature algorithms begin.
    last: usize,
}

impl Raw {
    pub(super) fn of(lists: &Lists<'_>, transport: Transport) -> Self {
        let (prefix, mut ciphers, mut extensions, signatures) = elements(lists, transport);
        extensions.retain(|&kind| kind != SERVER_NAME && kind != ALPN);
        ciphers.sort_unstable();
        extensions.sort_unstable();

        let mut text = String::with_capacity(512);
        text.extend(prefix.map(char::from));
        text.push('_');
        let middle = text.len();
        hex::push_list(&mut text, &ciphers);
        let middle = middle..text.len();
        text.push('_');
        let last = text.len();
        hex::push_list(&mut text, &extensions);
        if !signatures.is_empty() {
            text.push('_');
            hex::push_list(&mut text, &signatures);
        }
        Self { text, middle, last }
    }
}

/// The first part, and what the others are made of, in the order of the wire: ciphers, extensions
/// and signature algorithms.
pub(super) fn elements(
    lists: &Lists<'_>,
    transport: Transport,
) -> ([u8; 10], Vec<u16>, Vec<u16>, Vec<u16>) {
    let ciphers = without_grease(lists.ciphers);
    let extensions: Vec<u16> = lists.extensions().filter(|&v| !is_grease(v)).collect();
    let mut prefix = prefix(lists, ciphers.len(), extensions.len());
    prefix[0] = transport.letter();
    (prefix, ciphers, extensions, without_grease(lists.signature_algorithms))
}

fn without_grease(values: &[U16]) -> Vec<u16> {
    values.iter().map(|v| v.get()).filter(|&v| !is_grease(v)).collect()
}

/// Protocol, version, SNI flag, two counts and ALPN.
fn prefix(lists: &Lists<'_>, ciphers: usize, extensions: usize) -> [u8; 10] {
    let mut prefix = [b't'; 10];
    prefix[1..3].copy_from_slice(&version(lists));
    prefix[3] = if lists.server_name.is_some() { b'd' } else { b'i' };
    prefix[4..6].copy_from_slice(&count(ciphers));
    prefix[6..8].copy_from_slice(&count(extensions));
    prefix[8..].copy_from_slice(&alpn(lists.first_protocol()));
    prefix
}

fn version(lists: &Lists<'_>) -> [u8; 2] {
    let highest = without_grease(lists.versions).into_iter().max();
    *match highest.unwrap_or(lists.legacy_version) {
        0x0304 => b"13",
        0x0303 => b"12",
        0x0302 => b"11",
        0x0301 => b"10",
        0x0300 => b"s3",
        0x0002 => b"s2",
        _ => b"00",
    }
}

/// Two figures; what is more than 99 counts as 99.
fn count(number: usize) -> [u8; 2] {
    let number = u8::try_from(number).unwrap_or(99).min(99);
    [b'0' + number / 10, b'0' + number % 10]
}

/// First and last character of the first protocol if both are letters or figures, else
/// the first and last hex digit of the whole.
fn alpn(protocol: &[u8]) -> [u8; 2] {
    let (Some(&first), Some(&last)) = (protocol.first(), protocol.last()) else {
        return *b"00";
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [first, last];
    }
    [hex::digit(first >> 4), hex::digit(last)]
}

/// The first twelve hex digits of the SHA-256 sum, or twelve zeroes for nothing.
pub(super) fn hash(text: &str) -> [u8; 12] {
    let mut digits = [b'0'; 12];
    if !text.is_empty() {
        hex::write(&mut digits, &Sha256::digest(text));
    }
    digits
}

/// Why a text is no JA4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; a JA4 looks like t13d1516h2_8daaf6152771_e5627efa2ab1")]
pub struct Ja4Error(&'static str);

impl FromStr for Ja4 {
    type Err = Ja4Error;

    fn from_str(text: &str) -> Result<Self, Ja4Error> {
        let length = Ja4Error("a JA4 has 36 characters");
        let text: [u8; LEN] = text.as_bytes().try_into().map_err(|_| length)?;
        match fault(&text) {
            Some(fault) => Err(Ja4Error(fault)),
            None => Ok(Self(text)),
        }
    }
}

/// What is wrong with a text of the right length.
fn fault(text: &[u8; LEN]) -> Option<&'static str> {
    let [protocol, v, w, sni, counts @ .., a, b] = text.first_chunk::<10>()?;
    let hashes = text[11..23].iter().chain(&text[24..]);
    let checks = [
        (matches!(protocol, b't' | b'q'), "the first character is t (TCP) or q (QUIC)"),
        (
            matches!(&[*v, *w], b"13" | b"12" | b"11" | b"10" | b"s3" | b"s2" | b"00"),
            "the version is 13, 12, 11, 10, s3, s2 or 00",
        ),
        (matches!(sni, b'd' | b'i'), "the fourth character is d (with SNI) or i (without)"),
        (counts.iter().all(u8::is_ascii_digit), "the counts are two figures each"),
        (
            a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric(),
            "the ALPN is two letters or figures",
        ),
        (text[10] == b'_' && text[23] == b'_', "an underscore stands between the parts"),
        (
            hashes.into_iter().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')),
            "the second and third part are twelve lower-case hex digits",
        ),
    ];
    checks.iter().find(|(holds, _)| !holds).map(|(_, fault)| *fault)
}

impl fmt::Display for Ja4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Ja4 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Ja4 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str = "t13d1516h2_8daaf6152771_e5627efa2ab1";

    #[test]
    fn text_and_back_is_the_same() {
        let ja4: Ja4 = CHROME.parse().unwrap();
        assert_eq!(ja4.to_string(), CHROME);
        assert_eq!(ja4.parts(), ["t13d1516h2", "8daaf6152771", "e5627efa2ab1"]);
    }

    #[test]
    fn every_wrong_character_is_refused() {
        for at in 0..LEN {
            let mut text = CHROME.as_bytes().to_vec();
            text[at] = b'~';
            let text = String::from_utf8(text).unwrap();
            assert!(text.parse::<Ja4>().is_err(), "{text}");
        }
        assert!(CHROME[1..].parse::<Ja4>().is_err());
        assert!(CHROME.to_uppercase().parse::<Ja4>().is_err());
    }

    #[test]
    fn an_error_says_what_is_wrong() {
        let error = CHROME.replace("e5627", "E5627").parse::<Ja4>().unwrap_err();
        assert!(error.to_string().contains("lower-case"), "{error}");
    }

    #[test]
    fn alpn_is_text_or_hex_by_its_ends() {
        for (protocol, expected) in [
            (&b"h2"[..], b"h2"),
            (b"http/1.1", b"h1"),
            (b"a", b"aa"),
            (b"", b"00"),
            (b"\xab", b"ab"),
            (b"0\xab\xcd1", b"01"),
            (b"a ", b"60"),
        ] {
            assert_eq!(&alpn(protocol), expected, "{protocol:?}");
        }
    }

    #[test]
    fn counts_stop_at_99() {
        assert_eq!([count(0), count(15), count(99)], [*b"00", *b"15", *b"99"]);
        assert_eq!([count(100), count(300)], [*b"99", *b"99"]);
    }
}
