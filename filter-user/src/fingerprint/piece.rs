//! The bytes of a stream that are there, whatever order they came in.

use bytes::Bytes;
use std::ops::Range;

/// Pieces of a stream by position, none of which overlap.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    sorted: Vec<Piece>,
}

#[derive(Debug)]
struct Piece {
    start: usize,
    bytes: Bytes,
    /// Tells apart the segments that pieces came from.
    segment: u32,
}

/// Two segments have different bytes for the same position.
#[derive(Debug)]
pub(crate) struct Conflict;

impl Piece {
    fn end(&self) -> usize {
        self.start + self.bytes.len()
    }

    /// The bytes at the given positions of the stream.
    fn at(&self, range: Range<usize>) -> Option<&[u8]> {
        self.bytes.get(range.start - self.start..range.end - self.start)
    }
}

impl Pieces {
    /// Adds what of a segment isn't there yet; whether that was anything.
    ///
    /// *Errors*: [`Conflict`]; nothing was added.
    pub(crate) fn insert(
        &mut self,
        start: usize,
        bytes: &Bytes,
        segment: u32,
    ) -> Result<bool, Conflict> {
        let holes = self.holes(start, bytes)?;
        for hole in &holes {
            let bytes = bytes.slice(hole.start - start..hole.end - start);
            self.sorted.push(Piece { start: hole.start, bytes, segment });
        }
        self.sorted.sort_unstable_by_key(|piece| piece.start);
        Ok(!holes.is_empty())
    }

    /// The positions among the segment's that no piece covers yet.
    ///
    /// *Errors*: [`Conflict`], if a piece covers one with another byte.
    pub(crate) fn holes(&self, start: usize, bytes: &Bytes) -> Result<Vec<Range<usize>>, Conflict> {
        let end = start + bytes.len();
        let mut holes = Vec::new();
        let mut at = start;
        let touching = |piece: &&Piece| piece.end() > start && piece.start < end;
        for piece in self.sorted.iter().filter(touching) {
            let both = start.max(piece.start)..end.min(piece.end());
            if piece.at(both.clone()) != bytes.get(both.start - start..both.end - start) {
                return Err(Conflict);
            }
            if at < piece.start {
                holes.push(at..piece.start);
            }
            at = piece.end();
        }
        if at < end {
            holes.push(at..end);
        }
        Ok(holes)
    }

    /// How many bytes there are from the start to the first hole.
    pub(crate) fn prefix_len(&self) -> usize {
        let joined = |end, piece: &Piece| if piece.start == end { piece.end() } else { end };
        self.sorted.iter().fold(0, joined)
    }

    /// The bytes from the start to the first hole; a copy only if they came in several
    /// segments.
    pub(crate) fn prefix(&self) -> Bytes {
        let len = self.prefix_len();
        match self.sorted.first() {
            Some(first) if first.start == 0 && first.end() == len => first.bytes.clone(),
            _ => self
                .sorted
                .iter()
                .take_while(|p| p.end() <= len)
                .fold(Vec::with_capacity(len), |mut joined, piece| {
                    joined.extend_from_slice(&piece.bytes);
                    joined
                })
                .into(),
        }
    }

    /// Whether there is anything behind the first hole.
    pub(crate) fn goes_on(&self) -> bool {
        self.sorted.last().is_some_and(|piece| piece.end() > self.prefix_len())
    }

    /// Forgets what lies at `end` and behind.
    pub(crate) fn truncate(&mut self, end: usize) {
        self.sorted.retain(|piece| piece.start < end);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.sorted = Vec::new();
    }

    /// How many segments the pieces came from.
    pub(crate) fn segments(&self) -> u32 {
        let mut ids: Vec<u32> = self.sorted.iter().map(|piece| piece.segment).collect();
        ids.sort_unstable();
        ids.dedup();
        u32::try_from(ids.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn add(pieces: &mut Pieces, start: usize, bytes: &'static [u8]) -> Result<bool, Conflict> {
        let segment = pieces.segments();
        pieces.insert(start, &Bytes::from_static(bytes), segment)
    }

    #[test]
    fn a_segment_may_fill_two_holes() {
        let mut pieces = Pieces::default();
        assert!(add(&mut pieces, 2, b"c").unwrap() && pieces.goes_on());
        assert!(add(&mut pieces, 1, b"bcd").unwrap());
        assert_eq!((pieces.prefix_len(), pieces.segments()), (0, 2));
        assert!(add(&mut pieces, 0, b"ab").unwrap() && !pieces.goes_on());
        assert!(!add(&mut pieces, 1, b"bcd").unwrap());
        assert_eq!(pieces.prefix(), "abcd");
    }

    #[test]
    fn a_different_byte_is_a_conflict_and_changes_nothing() {
        let mut pieces = Pieces::default();
        assert!(add(&mut pieces, 0, b"abc").is_ok());
        assert!(add(&mut pieces, 2, b"xd").is_err());
        assert_eq!(pieces.prefix(), "abc");
    }

    proptest! {
        #[test]
        fn any_order_of_overlapping_parts_joins(
            parts in proptest::collection::vec((0_usize..40, 1_usize..20), 1..30),
        ) {
            let whole: Vec<u8> = (0..60).collect();
            let mut there = [false; 60];
            let mut pieces = Pieces::default();
            for (index, (start, len)) in (0..).zip(parts) {
                let bytes = Bytes::copy_from_slice(&whole[start..start + len]);
                prop_assert!(pieces.insert(start, &bytes, index).is_ok());
                there[start..start + len].fill(true);
            }
            let expected = there.iter().take_while(|there| **there).count();
            prop_assert_eq!(pieces.prefix_len(), expected);
            prop_assert_eq!(&pieces.prefix()[..], &whole[..expected]);
        }
    }
}
