//! The lists of a ClientHello, as a fingerprint wants them.
//!
//! *Source*: RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2.

use super::{Fault, Loop, MAX_VALUES, Step};
use crate::abi::hello::{HELLO_WINDOW, StreamBytes};
use crate::hash::mix;
use crate::hello::RECORD_HEADER_LEN;
use crate::wire::client_hello::{HANDSHAKE_HEADER_LEN, is_grease};

/// Numbers of two bytes.
#[repr(C)]
#[derive(Clone)]
pub(super) struct List {
    /// How many there are; never more than there is room for, as all are counted.
    pub(super) len: u32,
    pub(super) values: [u16; MAX_VALUES],
}

impl Default for List {
    fn default() -> Self {
        Self { len: 0, values: [0; MAX_VALUES] }
    }
}

impl List {
    #[inline(always)]
    pub(super) const fn get(&self, at: u32) -> u16 {
        self.values[at as usize & (MAX_VALUES - 1)]
    }

    #[inline(always)]
    pub(super) const fn set(&mut self, at: u32, value: u16) {
        self.values[at as usize & (MAX_VALUES - 1)] = value;
    }

    /// Puts a value behind the others.
    #[inline(always)]
    const fn push(&mut self, value: u16) {
        self.set(self.len, value);
        self.len += 1;
    }
}

/// A run of bytes.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    len: u32,
    /// Whether there is such an extension; zero: no.
    found: u32,
}

/// What a fingerprint is made of, without GREASE values.
#[repr(C)]
#[derive(Clone, Default)]
pub(super) struct Lists {
    /// Cipher suites.
    pub(super) ciphers: List,
    /// Extensions without `server_name` and ALPN.
    pub(super) extensions: List,
    /// Signature algorithms, in the order of the wire.
    pub(super) algorithms: List,
    /// All extensions.
    pub(super) extension_count: u32,
    /// The highest of `supported_versions`, or else the version that was there before.
    pub(super) version: u32,
    server_name: Span,
    groups: Span,
    point_formats: Span,
    signature_algorithms: Span,
    alpn: Span,
    versions: Span,
    /// Where the next byte is read.
    at: u32,
    /// Where the part that is being read ends.
    end: u32,
    /// What keys the hello's name.
    secret: u64,
    /// Ciphers and extensions, in no order.
    unordered: u64,
    /// Signature algorithms, in theirs.
    ordered: u64,
    /// How many values may still come.
    left: u32,
    fault: u32,
}

impl Lists {
    /// Whether there is a server name.
    pub(super) const fn has_name(&self) -> bool {
        self.server_name.found != 0
    }

    /// Where the first protocol of ALPN is, and how long it is; zero if there is none.
    #[inline(always)]
    pub(super) fn protocol(&self, bytes: &StreamBytes) -> (u32, u32) {
        if self.alpn.len < 3 {
            return (0, 0);
        }
        let (start, len) = (self.alpn.start + 2, u8_at(bytes, self.alpn.start + 2));
        // A name that ends behind its list is none.
        if u32::from(len) + 3 > self.alpn.len { (0, 0) } else { (start + 1, len.into()) }
    }

    /// The name under which its fingerprint is remembered.
    #[inline(always)]
    pub(super) const fn name(&self) -> u64 {
        mix(self.unordered, self.ordered)
    }

    /// Adds a value of a list in which the order doesn't matter.
    #[inline(always)]
    const fn add(&mut self, list: u64, value: u16) {
        // Two rounds between keys: sums of what a single one leaves could be foreseen.
        let mixed = mix(mix(self.secret, list | value as u64), self.secret.rotate_left(32));
        self.unordered = self.unordered.wrapping_add(mix(mixed, self.secret));
    }

    /// Counts a value; `false` if it is one too many.
    #[inline(always)]
    const fn count(&mut self) -> bool {
        if self.left == 0 {
            self.fault = Fault::TooMany as u32;
            return false;
        }
        self.left -= 1;
        true
    }

    #[inline(always)]
    const fn slot(&mut self, kind: u16) -> Option<&mut Span> {
        Some(match kind {
            0 => &mut self.server_name,
            10 => &mut self.groups,
            11 => &mut self.point_formats,
            13 => &mut self.signature_algorithms,
            16 => &mut self.alpn,
            43 => &mut self.versions,
            _ => return None,
        })
    }
}

/// How many values there may be.
#[expect(clippy::cast_possible_truncation, reason = "512")]
const MOST: u32 = MAX_VALUES as u32;

/// Beside a value of a list: which one.
const CIPHER: u64 = 1 << 16;
const EXTENSION: u64 = 2 << 16;

/// Beside a version of two bytes: there is one.
const FOUND: u32 = 1 << 16;

const CLIENT_HELLO: u8 = 1;
/// Where the message starts.
const START: u32 = RECORD_HEADER_LEN;
/// Where the session's length is: behind the message's header, the version, and the random
/// bytes.
const SESSION: u32 = START + HANDSHAKE_HEADER_LEN + 2 + 32;
const EXTENSION_HEADER_LEN: u32 = 4;
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;

#[inline(always)]
pub(super) const fn u8_at(bytes: &StreamBytes, at: u32) -> u8 {
    bytes[at as usize & (HELLO_WINDOW as usize - 1)]
}

#[inline(always)]
const fn u16_at(bytes: &StreamBytes, at: u32) -> u16 {
    u16::from_be_bytes([u8_at(bytes, at), u8_at(bytes, at + 1)])
}

/// Reads the lists of the message, which has to end at `last` or before.
pub(super) fn read<L: Loop>(
    bytes: &StreamBytes,
    last: u32,
    lists: &mut Lists,
    secret: u64,
    repeat: &L,
) -> Result<(), Fault> {
    lists.secret = secret;
    (lists.unordered, lists.ordered) = (secret, secret);
    lists.ciphers.len = 0;
    lists.extensions.len = 0;
    lists.algorithms.len = 0;
    lists.extension_count = 0;
    lists.fault = 0;
    lists.left = MOST;
    for kind in [0, 10, 11, 13, 16, 43] {
        if let Some(span) = lists.slot(kind) {
            *span = Span::default();
        }
    }
    let body = u32::from(u8_at(bytes, START + 1)) << 16 | u32::from(u16_at(bytes, START + 2));
    let end = START + HANDSHAKE_HEADER_LEN + body;
    // The session's length comes behind what has a fixed one.
    if u8_at(bytes, START) != CLIENT_HELLO || end > last || end <= SESSION {
        return Err(Fault::Malformed);
    }
    lists.version = u16_at(bytes, START + HANDSHAKE_HEADER_LEN).into();
    let at = SESSION + 1 + u32::from(u8_at(bytes, SESSION));
    if at + 2 > end {
        return Err(Fault::Malformed);
    }
    let ciphers = u32::from(u16_at(bytes, at));
    lists.at = at + 2;
    lists.end = at + 2 + ciphers;
    if ciphers % 2 != 0 || lists.end + 1 > end {
        return Err(Fault::Malformed);
    }
    repeat.repeat(ciphers / 2, &mut Numbers { bytes, lists, kind: Kind::Ciphers });
    // Where they ended: what was read may have ended earlier.
    let at = at + 2 + ciphers;
    let at = at + 1 + u32::from(u8_at(bytes, at));
    lists.end = end;
    if at > end || (at < end && at + 2 + u32::from(u16_at(bytes, at)) != end) {
        return Err(Fault::Malformed);
    }
    if at < end {
        lists.at = at + 2;
        repeat.repeat(MOST + 1, &mut Extensions { bytes, lists });
    }
    behind_length(bytes, lists, repeat)?;
    match lists.fault {
        0 => Ok(()),
        1 => Err(Fault::Malformed),
        _ => Err(Fault::TooMany),
    }
}

/// Reads what lies in extensions behind a length of its own.
#[inline(always)]
fn behind_length<L: Loop>(bytes: &StreamBytes, lists: &mut Lists, repeat: &L) -> Result<(), Fault> {
    let spans = [lists.groups, lists.signature_algorithms, lists.alpn];
    let is_wrong = |span: &Span| {
        span.len != 0 && (span.len < 2 || u32::from(u16_at(bytes, span.start)) + 2 != span.len)
    };
    let short = [lists.point_formats, lists.versions];
    let is_short_wrong =
        |span: &Span| span.len != 0 && u32::from(u8_at(bytes, span.start)) + 1 != span.len;
    let is_odd = [lists.groups, lists.signature_algorithms].iter().any(|span| span.len % 2 != 0)
        || (lists.versions.len != 0 && lists.versions.len.is_multiple_of(2));
    if is_odd || spans.iter().any(is_wrong) || short.iter().any(is_short_wrong) {
        return Err(Fault::Malformed);
    }
    let Span { start, len, .. } = lists.signature_algorithms;
    (lists.at, lists.end) = (start + 2, start + len);
    repeat.repeat(len / 2, &mut Numbers { bytes, lists, kind: Kind::Algorithms });
    let Span { start, len, .. } = lists.versions;
    (lists.at, lists.end) = (start + 1, start + len);
    let old = lists.version;
    lists.version = 0;
    repeat.repeat(len / 2, &mut Numbers { bytes, lists, kind: Kind::Versions });
    lists.version = if lists.version == 0 { old } else { lists.version & !FOUND };
    Ok(())
}

/// Which list numbers belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ciphers,
    Algorithms,
    Versions,
}

/// Takes over a number in each step.
struct Numbers<'a> {
    bytes: &'a StreamBytes,
    lists: &'a mut Lists,
    kind: Kind,
}

impl Step for Numbers<'_> {
    fn step(&mut self, _index: u32) -> bool {
        let lists = &mut *self.lists;
        if lists.at >= lists.end || !lists.count() {
            return true;
        }
        let value = u16_at(self.bytes, lists.at);
        lists.at += 2;
        if is_grease(value) {
            return false;
        }
        match self.kind {
            Kind::Ciphers => {
                lists.ciphers.push(value);
                lists.add(CIPHER, value);
            }
            Kind::Algorithms => {
                lists.algorithms.push(value);
                lists.ordered = mix(lists.ordered, value.into());
            }
            Kind::Versions => lists.version = lists.version.max(FOUND | u32::from(value)),
        }
        false
    }
}

/// Takes over an extension in each step.
struct Extensions<'a> {
    bytes: &'a StreamBytes,
    lists: &'a mut Lists,
}

impl Step for Extensions<'_> {
    fn step(&mut self, _index: u32) -> bool {
        let lists = &mut *self.lists;
        if lists.at >= lists.end || !lists.count() {
            return true;
        }
        let start = lists.at + EXTENSION_HEADER_LEN;
        let (kind, len) = (u16_at(self.bytes, lists.at), u16_at(self.bytes, lists.at + 2));
        if start + u32::from(len) > lists.end {
            lists.fault = Fault::Malformed as u32;
            return true;
        }
        lists.at = start + u32::from(len);
        if let Some(span) = lists.slot(kind)
            && span.found == 0
        {
            *span = Span { start, len: len.into(), found: 1 };
        }
        if is_grease(kind) {
            return false;
        }
        lists.extension_count += 1;
        if kind != SERVER_NAME && kind != ALPN {
            lists.extensions.push(kind);
            lists.add(EXTENSION, kind);
        }
        false
    }
}
