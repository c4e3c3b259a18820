//! The handshake message in the TLS records at the start of a stream.
//!
//! *Source*: RFC 8446 section 5.1: a message may be split over records, without other records
//! between them and without empty ones.

use super::bytes::place_of;
use super::stage::Stage;
use super::start::{CLIENT_HELLO, HANDSHAKE_RECORD, MAX_RECORD_LEN, START_LEN, hello_len};
use super::{Hellos, RECORD_HEADER_LEN};
use crate::abi::hello::{Cause, HELLO_WINDOW, HelloBody, HelloHead, MAX_RECORDS, StreamBytes};
use crate::ja4::Step;
use crate::wire::client_hello::HANDSHAKE_HEADER_LEN;

/// How far the message is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress(u8);

impl Progress {
    /// Nothing new can be said before more of the stream is there.
    pub(super) const NEED: Self = Self(0);
    /// It is there.
    pub(super) const WHOLE: Self = Self(1);
    /// This is no ClientHello.
    pub(super) const OTHER: Self = Self(2);
    /// It is one and can't be read.
    pub(super) const FAILED: Self = Self(3);
}

/// Where loops over a stream are.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    /// The record that is looked at.
    record: u32,
    /// Where bytes are read.
    from: u32,
    /// Where they go.
    to: u32,
    /// How many of the message's first bytes there are with those of this record.
    opened: u32,
    /// These.
    opening: u64,
}

/// Bytes of the message that are kept: its header and its version.
const OPENING: u32 = 6;

/// Bytes that tell a hello.
#[expect(clippy::cast_possible_truncation, reason = "nine")]
const KNOWN: u32 = START_LEN as u32;

/// Reads the start of the stream, as far as it is there without a gap.
#[inline(always)]
pub(super) fn read<H: Hellos>(
    head: &mut HelloHead,
    body: &HelloBody,
    stage: &mut Stage,
    hellos: &H,
) -> Progress {
    let bytes = &body.bytes;
    let mut start = [0; START_LEN];
    start.copy_from_slice(&bytes[..START_LEN]);
    let known = KNOWN;
    if hello_len(&start, if head.prefix < known { head.prefix } else { known }) == 0 {
        // Some servers pass over an empty record, an alert or a strange version in front of a
        // hello, and read one of SSL 2.
        let is_ssl2 = start[0] & 0x80 != 0 && head.prefix > 2 && start[2] == CLIENT_HELLO;
        if head.is_first != 0 && (matches!(start[0], 0x14..=0x16) || is_ssl2) {
            stage.cause = Cause::MALFORMED;
            return Progress::FAILED;
        }
        return Progress::OTHER;
    }
    hellos.repeat(MAX_RECORDS + 1, &mut Records { head, bytes, stage });
    stage.progress
}

/// Looks at a record.
struct Records<'a> {
    head: &'a mut HelloHead,
    bytes: &'a StreamBytes,
    stage: &'a mut Stage,
}

impl Step for Records<'_> {
    fn step(&mut self, _index: u32) -> bool {
        let (at, prefix) = (self.head.record_at, self.head.prefix);
        let (body, before) = (at + RECORD_HEADER_LEN, self.head.message_len);
        (self.stage.at.opening, self.stage.at.opened) = (self.head.opening, self.head.opened);
        if self.head.records == MAX_RECORDS {
            return self.fail(Cause::TOO_MANY_RECORDS);
        }
        if prefix < body {
            return self.need(prefix + 1);
        }
        let len = u16_at(self.bytes, at + 3);
        let kind = self.bytes[place_of(at)];
        let is_handshake = kind == HANDSHAKE_RECORD && self.bytes[place_of(at + 1)] == 3;
        if !is_handshake || len == 0 || len > MAX_RECORD_LEN {
            return self.fail(Cause::MALFORMED);
        }
        let present = if prefix < body + len { prefix - body } else { len };
        let (opening, opened) = self.open(body, present);
        (self.stage.at.opening, self.stage.at.opened) = (opening, opened);
        if opened != 0 && opening >> ((8 * (opened - 1)) & 63) & 0xff != u64::from(CLIENT_HELLO) {
            return self.end(Progress::OTHER);
        }
        let whole = if opened < HANDSHAKE_HEADER_LEN {
            HANDSHAKE_HEADER_LEN + 1
        } else {
            let len = opening >> ((8 * (opened - HANDSHAKE_HEADER_LEN)) & 63) & 0xff_ffff;
            HANDSHAKE_HEADER_LEN + (len as u32)
        };
        let end = body + whole - before;
        if before + present >= whole {
            self.head.needed = end;
            return self.end(Progress::WHOLE);
        }
        if end > HELLO_WINDOW {
            return self.fail(Cause::TOO_LONG);
        }
        if present < len {
            return self.need(if body + len < end { body + len } else { end });
        }
        (self.head.opening, self.head.opened) = (opening, opened);
        (self.head.record_at, self.head.message_len) = (body + len, before + len);
        self.head.records += 1;
        false
    }
}

impl Records<'_> {
    /// The message's first bytes and their number, with those of a record's content of which so
    /// many are there.
    #[inline(always)]
    fn open(&self, from: u32, present: u32) -> (u64, u32) {
        let HelloHead { mut opening, mut opened, .. } = *self.head;
        for index in 0..OPENING {
            if opened >= OPENING || index >= present {
                break;
            }
            opening = opening << 8 | u64::from(self.bytes[place_of(from + index)]);
            opened += 1;
        }
        (opening, opened)
    }

    #[inline(always)]
    const fn end(&mut self, progress: Progress) -> bool {
        self.stage.progress = progress;
        true
    }

    /// Asks for more of the stream, if there is room for it.
    #[inline(always)]
    fn need(&mut self, len: u32) -> bool {
        if len > HELLO_WINDOW {
            return self.fail(Cause::TOO_LONG);
        }
        self.head.needed = len;
        self.end(Progress::NEED)
    }

    /// Gives up on a hello. Where it isn't the first of its connection: one byte in 256 of an
    /// encrypted record looks like a hello's first, and its version doesn't.
    #[inline(always)]
    fn fail(&mut self, cause: Cause) -> bool {
        let Cursor { opening, opened, .. } = self.stage.at;
        let version = opening & 0xffff;
        let is_first = self.head.is_first != 0;
        if !is_first && opened == OPENING && version >> 8 != 3 && version != 2 {
            return self.end(Progress::OTHER);
        }
        self.stage.cause = cause;
        self.end(Progress::FAILED)
    }
}

#[inline(always)]
fn u16_at(bytes: &StreamBytes, at: u32) -> u32 {
    u32::from(bytes[place_of(at)]) << 8 | u32::from(bytes[place_of(at + 1)])
}

/// Takes the headers out of a message that lies in several records, so that it lies behind
/// the first header alone; how many bytes that were.
#[inline(always)]
pub(super) fn join<H: Hellos>(
    head: &HelloHead,
    body: &mut HelloBody,
    stage: &mut Stage,
    hellos: &H,
) -> u32 {
    if head.records == 0 {
        return 0;
    }
    (stage.at.record, stage.at.to) = (0, RECORD_HEADER_LEN);
    let (cursor, bytes) = (&mut stage.at, &mut body.bytes);
    hellos.repeat(MAX_RECORDS, &mut Join { bytes, cursor, hellos, end: head.needed });
    head.records * RECORD_HEADER_LEN
}

/// Moves a record's content up to the one before it.
struct Join<'a, H> {
    bytes: &'a mut StreamBytes,
    cursor: &'a mut Cursor,
    hellos: &'a H,
    end: u32,
}

impl<H: Hellos> Step for Join<'_, H> {
    fn step(&mut self, _index: u32) -> bool {
        let at = self.cursor.record;
        let body = at + RECORD_HEADER_LEN;
        if body >= self.end {
            return true;
        }
        let left = self.end - body;
        let len = u16_at(self.bytes, at + 3);
        let len = if len < left { len } else { left };
        let to = self.cursor.to;
        (self.cursor.record, self.cursor.from, self.cursor.to) = (body + len, body, to + len);
        if body == to {
            return false;
        }
        let (from, hellos) = (body, self.hellos);
        hellos.repeat(len / CHUNK, &mut Move { bytes: self.bytes, from, to });
        let done = len / CHUNK * CHUNK;
        let rest = &mut MoveByte { bytes: self.bytes, from: from + done, to: to + done };
        hellos.repeat(len - done, rest);
        false
    }
}

/// Bytes that are moved in a step.
const CHUNK: u32 = 16;

/// Moves a chunk to the front, byte by byte: it may lie over itself.
struct Move<'a> {
    bytes: &'a mut StreamBytes,
    from: u32,
    to: u32,
}

impl Step for Move<'_> {
    fn step(&mut self, index: u32) -> bool {
        let (from, to) = (self.from + index * CHUNK, self.to + index * CHUNK);
        for at in 0..CHUNK {
            self.bytes[place_of(to + at)] = self.bytes[place_of(from + at)];
        }
        false
    }
}

/// Moves a byte to the front.
struct MoveByte<'a> {
    bytes: &'a mut StreamBytes,
    from: u32,
    to: u32,
}

impl Step for MoveByte<'_> {
    fn step(&mut self, index: u32) -> bool {
        self.bytes[place_of(self.to + index)] = self.bytes[place_of(self.from + index)];
        false
    }
}
