//! Whether the receiving stack would take a segment, judged by its checksum.

use super::Hellos;
use super::stage::Stage;
use crate::abi::hello::SEGMENT_CAPACITY;
use crate::ja4::Step;
use crate::wire::checksum::{Checksum, fold, judge};
use crate::wire::frame::Frame;
use crate::wire::reset::pseudo_header;

/// Bytes that are summed at once: as many as older kernels take.
pub const SUM_LEN: u32 = 512;

/// Checks the segment on the stage. One that is longer than what is looked at isn't checked.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "sums of two bytes, and two bytes of a word")]
pub(super) fn check<H: Hellos>(frame: &Frame, stage: &mut Stage, hellos: &H) -> Checksum {
    let len = frame.tcp.len;
    if len > SEGMENT_CAPACITY {
        return Checksum::Valid;
    }
    (stage.sum, stage.done) = (0, 0);
    // What is summed ends with a word of four bytes.
    if let Some(last) = stage.segment.get_mut(len as usize / 8) {
        *last &= (1 << (8 * (len & 7))) - 1;
    }
    hellos.repeat(len.div_ceil(SUM_LEN), &mut Chunk { hellos, stage, len });
    // One's complement sums don't care about the order of bytes, if all have the same.
    let sum = u64::from((fold(stage.sum) as u16).swap_bytes());
    let carried = (stage.segment[2] as u16).swap_bytes();
    judge(pseudo_header(frame, len), sum, carried.into())
}

/// Sums a chunk.
struct Chunk<'a, H> {
    hellos: &'a H,
    stage: &'a mut Stage,
    len: u32,
}

impl<H: Hellos> Step for Chunk<'_, H> {
    fn step(&mut self, index: u32) -> bool {
        let from = index * SUM_LEN;
        let left = self.len - from;
        let len = if left < SUM_LEN { left.next_multiple_of(4) } else { SUM_LEN };
        let sum = self.hellos.sum(self.stage, from, len);
        self.stage.sum += sum;
        false
    }
}
