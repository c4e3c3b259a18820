//! The bytes of a stream: each is taken once, whatever order they come in.

use super::Hellos;
use super::stage::{Piece, Stage};
use crate::abi::hello::{COPY_LEN, HELLO_WINDOW, HelloBody, HelloHead};
use crate::ja4::Step;
use crate::wire::frame::Frame;

/// Takes over the bytes of a piece; `false` if none is new, or they conflict.
#[inline(always)]
pub(super) fn take<H: Hellos>(
    hellos: &H,
    frame: &Frame,
    stage: &mut Stage,
    head: &mut HelloHead,
    body: &mut HelloBody,
) -> bool {
    let Piece { at, len, .. } = stage.piece;
    stage.conflicts = 0;
    if at < head.prefix || at < head.reach {
        stage.fresh = 0;
        hellos.repeat(len, &mut Compare { head, body, stage });
        if stage.conflicts != 0 || stage.fresh == 0 {
            return false;
        }
    }
    stage.done = 0;
    hellos.repeat(WINDOW_COPIES, &mut Copy { hellos, frame, body, stage });
    if stage.done < len {
        return false;
    }
    head.segments += 1;
    let end = at + len;
    if at <= head.prefix {
        if head.prefix < end {
            head.prefix = end;
        }
        if head.prefix < head.reach {
            hellos.repeat(WORDS + 1, &mut Absorb { head, body });
        }
    } else {
        head.scattered = 1;
        hellos.repeat((end - 1) / 64 - at / 64 + 1, &mut Mark { body, piece: stage.piece });
    }
    if head.reach < end {
        head.reach = end;
    }
    true
}

/// Copies that the longest piece takes.
const WINDOW_COPIES: u32 = HELLO_WINDOW / COPY_LEN;

/// Words of [`HelloBody::there`].
const WORDS: u32 = HELLO_WINDOW / 64;

/// Holds a byte of the piece against the one that is there.
pub(super) struct Compare<'a> {
    pub(super) head: &'a HelloHead,
    pub(super) body: &'a HelloBody,
    pub(super) stage: &'a mut Stage,
}

impl Step for Compare<'_> {
    fn step(&mut self, index: u32) -> bool {
        let Self { head, body, stage } = self;
        let at = stage.piece.at + index;
        let is_there = at < head.prefix || body.there[word_of(at)] >> (at & 63) & 1 != 0;
        if !is_there {
            stage.fresh += 1;
            return false;
        }
        if stage.byte(stage.piece.from + index) == body.bytes[place_of(at)] {
            return false;
        }
        stage.conflicts = 1;
        true
    }
}

/// Copies a part of the piece out of the packet.
struct Copy<'a, H> {
    hellos: &'a H,
    frame: &'a Frame,
    body: &'a mut HelloBody,
    stage: &'a mut Stage,
}

impl<H: Hellos> Step for Copy<'_, H> {
    fn step(&mut self, _index: u32) -> bool {
        let Self { hellos, frame, body, stage } = self;
        let Piece { at, len, from } = stage.piece;
        if stage.done >= len {
            return true;
        }
        let left = len - stage.done;
        let len = if left < COPY_LEN { left } else { COPY_LEN };
        if !hellos.copy(frame, from + stage.done, len, &mut body.bytes, at + stage.done) {
            return true;
        }
        stage.done += len;
        false
    }
}

/// Notes which bytes of a word are there.
struct Mark<'a> {
    body: &'a mut HelloBody,
    piece: Piece,
}

impl Step for Mark<'_> {
    fn step(&mut self, index: u32) -> bool {
        let Piece { at, len, .. } = self.piece;
        let word = at / 64 + index;
        let from = if index == 0 { at & 63 } else { 0 };
        let left = at + len - (word * 64 + from);
        let room = 64 - from;
        let count = if left < room { left } else { room };
        self.body.there[word_of(word * 64)] |= u64::MAX >> ((64 - count) & 63) << (from & 63);
        false
    }
}

/// Joins bytes that came early with those in front of them, a word at a time.
struct Absorb<'a> {
    head: &'a mut HelloHead,
    body: &'a HelloBody,
}

impl Step for Absorb<'_> {
    fn step(&mut self, _index: u32) -> bool {
        let at = self.head.prefix;
        let there = self.body.there[word_of(at)] >> (at & 63);
        if there & 1 == 0 || at >= self.head.reach {
            return true;
        }
        self.head.prefix = at + there.trailing_ones();
        false
    }
}

/// A position's place in the window.
#[inline(always)]
pub(super) const fn place_of(at: u32) -> usize {
    at as usize & (HELLO_WINDOW as usize - 1)
}

#[inline(always)]
const fn word_of(at: u32) -> usize {
    (at as usize / 64) & (WORDS as usize - 1)
}
