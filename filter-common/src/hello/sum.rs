//! Whether the receiving stack would take a segment, judged by its checksum.

use super::Hellos;
use super::stage::Stage;
use crate::abi::hello::SEGMENT_CAPACITY;
use crate::ja4::Step;
use crate::wire::checksum::{Checksum, fold, judge};
use crate::wire::frame::Frame;
use crate::wire::reset::pseudo_header;

/// Words that a step adds up.
const CHUNK: u32 = 16;

/// Checks the segment on the stage. One that is longer than what is looked at isn't checked.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "sums of two bytes, and two bytes of a word")]
pub(super) fn check<H: Hellos>(frame: &Frame, stage: &mut Stage, hellos: &H) -> Checksum {
    let len = frame.tcp.len;
    if len > SEGMENT_CAPACITY {
        return Checksum::Valid;
    }
    stage.sum = 0;
    let words = len / 8;
    hellos.repeat(words / CHUNK, &mut Chunks { stage });
    let done = words / CHUNK * CHUNK;
    hellos.repeat(CHUNK, &mut Words { stage, done, len });
    // One's complement sums don't care about the order of bytes, if all have the same.
    let sum = u64::from((fold(stage.sum) as u16).swap_bytes());
    let carried = (stage.segment[2] as u16).swap_bytes();
    judge(pseudo_header(frame, len), sum, carried.into())
}

#[inline(always)]
const fn halves(word: u64) -> u64 {
    (word >> 32) + (word & 0xffff_ffff)
}

/// Adds up a chunk.
struct Chunks<'a> {
    stage: &'a mut Stage,
}

impl Step for Chunks<'_> {
    fn step(&mut self, index: u32) -> bool {
        let Stage { segment, sum, .. } = &mut *self.stage;
        let from = (index * CHUNK) as usize;
        let Some(words) = segment.get(from..from + CHUNK as usize) else {
            return true;
        };
        *sum = words.iter().fold(*sum, |sum, word| sum + halves(*word));
        false
    }
}

/// Adds up a word behind the chunks, as far as it belongs to the segment.
struct Words<'a> {
    stage: &'a mut Stage,
    done: u32,
    len: u32,
}

impl Step for Words<'_> {
    fn step(&mut self, index: u32) -> bool {
        let at = self.done + index;
        if at * 8 >= self.len {
            return true;
        }
        let left = self.len - at * 8;
        let Some(word) = self.stage.segment.get(at as usize) else {
            return true;
        };
        let word = if left < 8 { word & ((1 << (left * 8)) - 1) } else { *word };
        self.stage.sum += halves(word);
        false
    }
}
