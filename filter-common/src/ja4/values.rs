//! The values in a hello's lists: taken over several in a step, and summed.
//!
//! What a step works on stands in registers: each store to memory would wait for the one
//! before it.

use super::lists::{List, Lists, Span, Sums, u8_at, u16_at};
use super::{Fault, Loop, MAX_VALUES, Step};
use crate::abi::hello::StreamBytes;
use crate::hash::mix;
use crate::wire::client_hello::is_grease;

/// Cipher suites.
pub(super) const CIPHERS: u32 = 1;
/// Signature algorithms.
pub(super) const ALGORITHMS: u32 = 2;
/// Versions.
pub(super) const VERSIONS: u32 = 3;
/// Groups.
pub(super) const GROUPS: u32 = 4;
const EXTENSIONS: u32 = 5;
const FORMATS: u32 = 6;

/// Beside a version of two bytes: there is one.
pub(super) const FOUND: u32 = 1 << 16;

/// Values that a step takes: as many as it has lines for.
const CHUNK: u32 = 4;

const EXTENSION_HEADER_LEN: u32 = 4;
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;

impl Sums {
    /// Adds a value of a list in which the order doesn't matter.
    #[inline(always)]
    const fn add(&mut self, secret: u64, list: u32, value: u16) {
        // Rounds between keys: sums of what a single one leaves could be foreseen.
        let turned = secret.rotate_left(32);
        let mixed = mix(mix(secret, (list as u64) << 16 | value as u64), turned);
        self.unordered = self.unordered.wrapping_add(mix(mixed, secret));
    }

    /// Adds a value to what a JA3 is made of.
    #[inline(always)]
    const fn follow(&mut self, list: u32, value: u16) {
        self.wire = mix(self.wire, (list as u64) << 16 | value as u64);
    }
}

/// Takes over a list of `len` bytes.
#[inline(always)]
pub(super) fn take<const LIST: u32, L: Loop>(
    bytes: &StreamBytes,
    lists: &mut Lists,
    repeat: &L,
    len: u32,
) {
    repeat.repeat((len / 2).div_ceil(CHUNK), &mut Numbers::<LIST> { bytes, lists });
}

/// Takes over some numbers in each step.
struct Numbers<'a, const LIST: u32> {
    bytes: &'a StreamBytes,
    lists: &'a mut Lists,
}

impl<const LIST: u32> Step for Numbers<'_, LIST> {
    #[expect(clippy::cast_possible_truncation, reason = "a mask leaves ten bits")]
    fn step(&mut self, _index: u32) -> bool {
        let Self { bytes, lists } = self;
        let into = if LIST == CIPHERS { &mut lists.ciphers } else { &mut lists.algorithms };
        let mut taken = Taken {
            secret: lists.secret,
            end: lists.end,
            at: lists.at,
            left: lists.left,
            len: into.len,
            version: lists.version,
            sums: lists.sums,
        };
        // Written out: older verifiers don't take every loop that is made of one.
        let _ = taken.one::<LIST>(bytes, into)
            && taken.one::<LIST>(bytes, into)
            && taken.one::<LIST>(bytes, into)
            && taken.one::<LIST>(bytes, into);
        if LIST == CIPHERS || LIST == ALGORITHMS {
            into.len = taken.len & (2 * MAX_VALUES as u32 - 1);
        }
        (lists.sums, lists.version) = (taken.sums, taken.version);
        (lists.at, lists.left) = (taken.at, taken.left);
        lists.ends(taken.at < taken.end)
    }
}

/// What a step works on, in registers.
struct Taken {
    secret: u64,
    end: u32,
    at: u32,
    left: u32,
    len: u32,
    version: u32,
    sums: Sums,
}

impl Taken {
    /// Takes over a number; `false` if there is none, or no room.
    #[inline(always)]
    fn one<const LIST: u32>(&mut self, bytes: &StreamBytes, into: &mut List) -> bool {
        if self.at >= self.end || self.left == 0 {
            return false;
        }
        let value = u16_at(bytes, self.at);
        self.at += 2;
        self.left -= 1;
        if is_grease(value) {
            return true;
        }
        match LIST {
            CIPHERS => self.sums.add(self.secret, CIPHERS, value),
            ALGORITHMS => self.sums.ordered = mix(self.sums.ordered, value.into()),
            VERSIONS => self.version = self.version.max(FOUND | u32::from(value)),
            _ => {}
        }
        if LIST == CIPHERS || LIST == GROUPS {
            self.sums.follow(LIST, value);
        }
        if LIST == CIPHERS || LIST == ALGORITHMS {
            into.set(self.len, value);
            self.len += 1;
        }
        true
    }
}

impl Lists {
    /// Whether a list is over: it is, or there are too many values.
    #[inline(always)]
    const fn ends(&mut self, goes_on: bool) -> bool {
        if goes_on && self.left == 0 {
            self.fault = Fault::TooMany as u32;
            return true;
        }
        !goes_on
    }
}

/// Takes over a point format in each step.
pub(super) struct Formats<'a> {
    pub(super) bytes: &'a StreamBytes,
    pub(super) lists: &'a mut Lists,
}

impl Step for Formats<'_> {
    fn step(&mut self, _index: u32) -> bool {
        let lists = &mut *self.lists;
        if lists.ends(lists.at < lists.end) {
            return true;
        }
        lists.sums.follow(FORMATS, u8_at(self.bytes, lists.at).into());
        lists.at += 1;
        lists.left -= 1;
        false
    }
}

/// Takes over an extension in each step.
pub(super) struct Extensions<'a> {
    pub(super) bytes: &'a StreamBytes,
    pub(super) lists: &'a mut Lists,
}

impl Step for Extensions<'_> {
    fn step(&mut self, _index: u32) -> bool {
        let lists = &mut *self.lists;
        if lists.ends(lists.at < lists.end) {
            return true;
        }
        let start = lists.at + EXTENSION_HEADER_LEN;
        let (kind, len) = (u16_at(self.bytes, lists.at), u16_at(self.bytes, lists.at + 2));
        if start + u32::from(len) > lists.end {
            lists.fault = Fault::Malformed as u32;
            return true;
        }
        lists.at = start + u32::from(len);
        lists.left -= 1;
        if let Some(span) = lists.slot(kind)
            && span.found == 0
        {
            *span = Span { start, len: len.into(), found: 1 };
        }
        if is_grease(kind) {
            return false;
        }
        lists.extension_count += 1;
        let (secret, mut sums) = (lists.secret, lists.sums);
        sums.follow(EXTENSIONS, kind);
        if kind != SERVER_NAME && kind != ALPN {
            let into = &mut lists.extensions;
            into.set(into.len, kind);
            into.len += 1;
            sums.add(secret, EXTENSIONS, kind);
        }
        lists.sums = sums;
        false
    }
}
