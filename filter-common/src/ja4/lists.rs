//! The lists of a ClientHello, as a fingerprint wants them.
//!
//! *Source*: RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2.

use super::values::{self, Extensions, Formats};
use super::{Fault, Loop, MAX_VALUES};
use crate::abi::hello::{HELLO_WINDOW, StreamBytes};
use crate::hash::mix;
use crate::hello::RECORD_HEADER_LEN;
use crate::wire::client_hello::HANDSHAKE_HEADER_LEN;
use core::hint::black_box;

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
}

/// A run of bytes.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
    /// Whether there is such an extension; zero: no.
    pub(super) found: u32,
}

/// What names a hello: keyed sums of its values.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    /// Ciphers and extensions, in no order.
    pub(super) unordered: u64,
    /// Signature algorithms, in theirs.
    pub(super) ordered: u64,
    /// All that a JA3 is made of, as it comes on the wire.
    pub(super) wire: u64,
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
    pub(super) server_name: Span,
    pub(super) groups: Span,
    pub(super) point_formats: Span,
    pub(super) signature_algorithms: Span,
    pub(super) alpn: Span,
    pub(super) versions: Span,
    /// Where the next byte is read.
    pub(super) at: u32,
    /// Where the part that is being read ends.
    pub(super) end: u32,
    /// What keys the hello's name.
    pub(super) secret: u64,
    pub(super) sums: Sums,
    /// How many values may still come.
    pub(super) left: u32,
    pub(super) fault: u32,
}

impl Lists {
    /// Whether there is a server name.
    pub(super) const fn has_name(&self) -> bool {
        self.server_name.found != 0
    }

    /// Where the server's name is: the first of the list, if it is one of a host.
    ///
    /// *Source*: RFC 6066 section 3.
    #[inline(always)]
    pub(super) fn name_of_server(&self, bytes: &StreamBytes) -> Span {
        let Span { start, len, .. } = self.server_name;
        if len < 5 || u8_at(bytes, start + 2) != 0 {
            return Span::default();
        }
        let name = u32::from(u16_at(bytes, start + 3));
        if name + 5 > len {
            Span::default()
        } else {
            Span { start: start + 5, len: name, found: 0 }
        }
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
        mix(self.sums.unordered, self.sums.ordered)
    }

    /// The name of its JA3.
    #[inline(always)]
    pub(super) const fn wire(&self) -> u64 {
        self.sums.wire
    }

    #[inline(always)]
    pub(super) const fn slot(&mut self, kind: u16) -> Option<&mut Span> {
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

const CLIENT_HELLO: u8 = 1;
/// Where the message starts.
const START: u32 = RECORD_HEADER_LEN;
/// Where the session's length is: behind the message's header, the version, and the random
/// bytes.
const SESSION: u32 = START + HANDSHAKE_HEADER_LEN + 2 + 32;

#[inline(always)]
pub(super) const fn u8_at(bytes: &StreamBytes, at: u32) -> u8 {
    bytes[at as usize & (HELLO_WINDOW as usize - 1)]
}

#[inline(always)]
pub(super) const fn u16_at(bytes: &StreamBytes, at: u32) -> u16 {
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
    (lists.sums.unordered, lists.sums.ordered) = (secret, secret);
    lists.ciphers.len = 0;
    lists.extensions.len = 0;
    lists.algorithms.len = 0;
    lists.extension_count = 0;
    lists.fault = 0;
    lists.left = MOST;
    for kind in [0, 10, 11, 13, 16, 43] {
        if let Some(span) = lists.slot(kind) {
            // Hidden: of zeroes side by side LLVM makes a call, and a loop over bytes.
            let zero = black_box(0);
            *span = Span { start: zero, len: zero, found: zero };
        }
    }
    let body = u32::from(u8_at(bytes, START + 1)) << 16 | u32::from(u16_at(bytes, START + 2));
    let end = START + HANDSHAKE_HEADER_LEN + body;
    // The session's length comes behind what has a fixed one.
    if u8_at(bytes, START) != CLIENT_HELLO || end > last || end <= SESSION {
        return Err(Fault::Malformed);
    }
    lists.version = u16_at(bytes, START + HANDSHAKE_HEADER_LEN).into();
    lists.sums.wire = mix(secret, lists.version.into());
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
    values::take::<{ values::CIPHERS }, L>(bytes, lists, repeat, ciphers);
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
    values::take::<{ values::ALGORITHMS }, L>(bytes, lists, repeat, len);
    let Span { start, len, .. } = lists.versions;
    (lists.at, lists.end) = (start + 1, start + len);
    let old = lists.version;
    lists.version = 0;
    values::take::<{ values::VERSIONS }, L>(bytes, lists, repeat, len);
    lists.version = if lists.version == 0 { old } else { lists.version & !values::FOUND };
    let Span { start, len, .. } = lists.groups;
    (lists.at, lists.end) = (start + 2, start + len);
    values::take::<{ values::GROUPS }, L>(bytes, lists, repeat, len);
    let Span { start, len, .. } = lists.point_formats;
    (lists.at, lists.end) = (start + 1, start + len);
    repeat.repeat(len, &mut Formats { bytes, lists });
    Ok(())
}
