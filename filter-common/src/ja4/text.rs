//! The texts of a fingerprint: its first part, and what its other parts are sums of.

use super::lists::{List, u8_at};
use super::sha256::Sha256;
use super::{Loop, MAX_VALUES, Step, Work};
use crate::abi::hello::StreamBytes;

/// Words of a text: two whole lists, and what a sum adds to them. A power of two.
const WORDS: usize = 1024;

const _: () = assert!(4 * WORDS >= 5 * MAX_VALUES + 64 + 9);

/// A text that is summed.
///
/// *Shape*: words of four characters, the first in the upper byte, as SHA-256 reads them.
#[repr(C)]
#[derive(Clone)]
pub(super) struct Text {
    words: [u32; WORDS],
    /// Whole words.
    len: u32,
    /// Characters behind them: at most three.
    more: u32,
    /// These, the last in the lowest byte.
    rest: u64,
}

impl Default for Text {
    fn default() -> Self {
        Self { words: [0; WORDS], len: 0, more: 0, rest: 0 }
    }
}

impl Text {
    #[inline(always)]
    const fn clear(&mut self) {
        (self.len, self.more, self.rest) = (0, 0, 0);
    }

    #[inline(always)]
    const fn is_empty(&self) -> bool {
        self.len == 0 && self.more == 0
    }

    /// Puts up to five characters behind the others.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "four characters")]
    const fn push(&mut self, characters: u64, count: u32) {
        let rest = self.rest << (8 * count) | characters;
        let mut more = self.more + count;
        if more >= 4 {
            more -= 4;
            self.push_word((rest >> (8 * (more & 7))) as u32);
        }
        if more >= 4 {
            more -= 4;
            self.push_word((rest >> (8 * (more & 7))) as u32);
        }
        (self.more, self.rest) = (more, rest & 0xff_ffff);
    }

    #[inline(always)]
    const fn push_word(&mut self, word: u32) {
        self.words[self.len as usize & (WORDS - 1)] = word;
        self.len += 1;
    }

    /// Ends the text as SHA-256 wants it; returns how many blocks of 16 words it has.
    #[inline(always)]
    pub(super) fn pad(&mut self) -> u32 {
        let bits = (self.len * 4 + self.more) * 8;
        self.push(0x80, 1);
        self.push(0, (4 - self.more) & 3);
        let blocks = (self.len + 2).div_ceil(16);
        for _ in 0..16 {
            if self.len >= blocks * 16 - 1 {
                break;
            }
            self.push_word(0);
        }
        self.push_word(bits);
        blocks
    }

    /// A word.
    #[inline(always)]
    pub(super) const fn word(&self, at: u32) -> u32 {
        self.words[at as usize & (WORDS - 1)]
    }
}

#[inline(always)]
const fn digit(value: u8) -> u8 {
    let value = value & 0xf;
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

/// Writes a list's value in each step, with a comma between two.
struct Write<'a> {
    list: &'a List,
    text: &'a mut Text,
}

impl Step for Write<'_> {
    fn step(&mut self, index: u32) -> bool {
        let digits = hex(self.list.get(index));
        if index == 0 {
            self.text.push(digits, 4);
        } else {
            self.text.push(u64::from(b',') << 32 | digits, 5);
        }
        false
    }
}

/// Four hex digits of a value.
#[inline(always)]
const fn hex(value: u16) -> u64 {
    let value = value as u32;
    let spread = (value & 0xf000) << 12 | (value & 0xf00) << 8 | (value & 0xf0) << 4 | value & 0xf;
    // A byte's fifth bit says whether it was above nine.
    let above = ((spread + 0x0606_0606) >> 4) & 0x0101_0101;
    (spread + 0x3030_3030 + above * (b'a' - b'0' - 10) as u32) as u64
}

/// The first part: protocol, version, whether there is a name, two counts, and ALPN.
#[inline(always)]
pub(super) fn prefix(bytes: &StreamBytes, work: &mut Work) {
    let Work { ja4, parts, lists, .. } = work;
    // What isn't written here, the sums are.
    (ja4[10], ja4[23]) = (b'_', b'_');
    let version = match lists.version {
        0x0304 => *b"13",
        0x0303 => *b"12",
        0x0302 => *b"11",
        0x0301 => *b"10",
        0x0300 => *b"s3",
        0x0002 => *b"s2",
        _ => *b"00",
    };
    let name = if lists.has_name() { b'd' } else { b'i' };
    let [c1, c2] = count(lists.ciphers.len);
    let [e1, e2] = count(lists.extension_count);
    let (start, len) = lists.protocol(bytes);
    let [a1, a2] = alpn(u8_at(bytes, start), u8_at(bytes, (start + len).wrapping_sub(1)), len);
    let first = [b't', version[0], version[1], name, c1, c2, e1, e2];
    ja4[..8].copy_from_slice(&first);
    ja4[8..10].copy_from_slice(&[a1, a2]);
    parts.a = [u64::from_le_bytes(first), u64::from(a1) | u64::from(a2) << 8];
}

/// Two figures; what is more than 99 counts as 99.
const fn count(number: u32) -> [u8; 2] {
    let number = if number > 99 { 99 } else { number.to_le_bytes()[0] };
    [b'0' + number / 10, b'0' + number % 10]
}

const fn alpn(first: u8, last: u8, len: u32) -> [u8; 2] {
    if len == 0 {
        return *b"00";
    }
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [first, last];
    }
    [digit(first >> 4), digit(last)]
}

/// The second part: the ciphers.
pub(super) fn middle<L: Loop>(work: &mut Work, repeat: &L) {
    let Work { parts, lists, sha256, text, .. } = work;
    text.clear();
    repeat.repeat(lists.ciphers.len, &mut Write { list: &lists.ciphers, text });
    parts.b = sum(sha256, text, repeat);
}

/// The third part: the extensions, and the signature algorithms behind a line.
pub(super) fn last<L: Loop>(work: &mut Work, repeat: &L) {
    let Work { parts, lists, sha256, text, .. } = work;
    text.clear();
    repeat.repeat(lists.extensions.len, &mut Write { list: &lists.extensions, text });
    if lists.algorithms.len != 0 {
        text.push(b'_'.into(), 1);
        repeat.repeat(lists.algorithms.len, &mut Write { list: &lists.algorithms, text });
    }
    parts.c = sum(sha256, text, repeat);
}

/// The first twelve hex digits of a text's sum, or zero for no text.
#[inline(always)]
fn sum<L: Loop>(sha256: &mut Sha256, text: &mut Text, repeat: &L) -> u64 {
    if text.is_empty() { 0 } else { sha256.of(text, repeat) }
}

/// Writes both sums.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "four digits at a time")]
pub(super) fn sums(work: &mut Work) {
    let Work { ja4, parts, .. } = work;
    for (at, sum) in [(11, parts.b), (24, parts.c)] {
        for index in 0..3 {
            let digits = hex((sum >> (32 - 16 * index)) as u16);
            let digits = (digits as u32).to_be_bytes();
            ja4[at + 4 * index..at + 4 * index + 4].copy_from_slice(&digits);
        }
    }
}
