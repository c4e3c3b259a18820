//! Segments become nodes.

use super::{Full, Image, Memory};
use crate::policy::bits::Bits;
use crate::policy::compile::{Compiler, Segment, groups};
use crate::policy::entries::Family;
use crate::policy::standing::Standings;
use filter_common::policy::{
    DOUBLE_ENTRIES, LEAF_ENTRIES, MAX_DIRECTS, NARROW_BITS, NARROW_ENTRIES, ROOT_BITS, ROOT_V4,
    ROOT_V6, Ref,
};

/// From this key of a window on, the walk goes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: u32,
    pub(super) reference: Ref,
}

/// The part of a window that a node answers for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// Its first key.
    pub(super) first: u32,
    /// How many bits of the window are left to decide.
    pub(super) left: u32,
    /// Direct nodes above it in the window.
    pub(super) directs: u32,
}

impl Span {
    /// A whole window.
    pub(super) const WINDOW: Self = Self { first: 0, left: u32::BITS, directs: 0 };
}

/// Entries that two leaves one after the other hold. More are spread over a direct node
/// first.
const SHALLOW: usize = LEAF_ENTRIES * LEAF_ENTRIES;

/// The largest direct node, in bits: a megabyte.
const MAX_BITS: u32 = 18;

const SLOTS_PER_LINE: u32 = 16;

impl<M: Memory> Image<M> {
    pub(super) fn build_family<A: Family>(
        &mut self,
        compiler: &mut Compiler<'_>,
    ) -> Result<(), Full> {
        let segments = compiler.segments(A::FIRST, A::LAST);
        let entries = self.window(&compiler.standings, &segments, 0, Ref::NONE)?;
        drop(segments);
        self.fill_direct(&entries, Span::WINDOW, root::<A>())
    }

    /// The entries of a window. `before` holds up to the first segment, which need not
    /// start where the window does.
    pub(super) fn window<A: Bits>(
        &mut self,
        standings: &Standings,
        segments: &[Segment<A>],
        window: u32,
        before: Ref,
    ) -> Result<Vec<Entry>, Full> {
        let mut entries = vec![Entry { key: 0, reference: before }];
        let mut in_force = before;
        for group in groups(segments, window) {
            let [first, .., last] = group else {
                let only = &group[0];
                in_force = self.block(standings, only, window, in_force, &mut entries)?;
                continue;
            };
            let inner = self.window(standings, group, window + 1, in_force)?;
            let inner = self.place_inner(inner)?;
            in_force = self.answer(standings, last.class)?;
            push_block(&mut entries, first.start.window(window), inner, in_force);
        }
        Ok(entries)
    }

    /// A window's block with a single segment in it; what holds after it comes back.
    fn block<A: Bits>(
        &mut self,
        standings: &Standings,
        only: &Segment<A>,
        window: u32,
        before: Ref,
        entries: &mut Vec<Entry>,
    ) -> Result<Ref, Full> {
        let key = only.start.window(window);
        let after = self.answer(standings, only.class)?;
        if only.start.ends_with(window) {
            push(entries, key, after);
        } else {
            let inner = self.window(standings, &[*only], window + 1, before)?;
            let inner = self.place_inner(inner)?;
            push_block(entries, key, inner, after);
        }
        Ok(after)
    }

    /// The next window's entries, as a reference from this one. Few of them wait: they may
    /// find room in a double leaf of this window.
    fn place_inner(&mut self, entries: Vec<Entry>) -> Result<Ref, Full> {
        if entries.len() < DOUBLE_ENTRIES {
            return Ok(self.waiting.put(entries));
        }
        Ok(self.place(&entries, Span::WINDOW)?.in_next_window())
    }

    /// A reference that can be written: what waited behind it is placed now.
    fn settled(&mut self, reference: Ref) -> Result<Ref, Full> {
        match self.waiting.take(reference) {
            Some(entries) => Ok(self.place(&entries, Span::WINDOW)?.in_next_window()),
            None => Ok(reference),
        }
    }

    /// A double leaf, if all fits into one.
    fn place_double(&mut self, entries: &[Entry]) -> Result<Option<Ref>, Full> {
        let Some(flat) = self.waiting.flattened(entries) else {
            return Ok(None);
        };
        for entry in entries {
            self.waiting.take(entry.reference);
        }
        let mut settled = Vec::with_capacity(DOUBLE_ENTRIES);
        for (key, reference) in flat {
            settled.push((key, self.settled(reference)?));
        }
        let line = self.room.lines(1)?;
        let last = settled.last().copied().into_iter().cycle();
        for (at, (key, reference)) in (0..DOUBLE_ENTRIES).zip(settled.into_iter().chain(last)) {
            let [upper, lower] = [key >> 32, key & u64::from(u32::MAX)];
            self.memory.write(line, 2 * at, u32::try_from(upper).unwrap_or(u32::MAX));
            self.memory.write(line, 2 * at + 1, u32::try_from(lower).unwrap_or(u32::MAX));
            self.memory.write(line, 2 * DOUBLE_ENTRIES + at, reference.0);
        }
        Ok(Some(Ref::double_leaf(line)))
    }

    /// Writes entries down. The first one's key is the span's.
    pub(super) fn place(&mut self, entries: &[Entry], span: Span) -> Result<Ref, Full> {
        self.place_in(entries, span, &mut OpenLine::default())
    }

    fn place_in(
        &mut self,
        entries: &[Entry],
        span: Span,
        open: &mut OpenLine,
    ) -> Result<Ref, Full> {
        match entries {
            [] => Ok(Ref::NONE),
            [only] => self.settled(only.reference),
            few if few.len() <= LEAF_ENTRIES => self.place_few(few, span, open),
            many if many.len() > SHALLOW && span.directs < MAX_DIRECTS => {
                self.place_direct(many, span)
            }
            some => self.place_leaves(some, span, open),
        }
    }

    fn place_few(
        &mut self,
        entries: &[Entry],
        span: Span,
        open: &mut OpenLine,
    ) -> Result<Ref, Full> {
        if let Some(words) = self.narrowed(entries, span)? {
            return self.place_narrow(&words, span, open);
        }
        match self.place_double(entries)? {
            Some(double) => Ok(double),
            None => self.place_leaf(entries, open),
        }
    }

    /// Entries as a narrow leaf has them; `None` if it can't.
    fn narrowed(&mut self, entries: &[Entry], span: Span) -> Result<Option<Vec<u32>>, Full> {
        if span.left > NARROW_BITS || !entries.iter().all(|entry| entry.reference.is_end()) {
            return Ok(None);
        }
        let mut words = Vec::with_capacity(entries.len());
        for entry in entries {
            let Some(code) =
                self.answers.code(&mut self.memory, &mut self.room, entry.reference)?
            else {
                return Ok(None);
            };
            words.push(entry.key << NARROW_BITS | u32::from(code));
        }
        Ok(Some(words))
    }

    /// A narrow leaf, in a line that others with the same upper half of the key may have
    /// begun.
    fn place_narrow(
        &mut self,
        words: &[u32],
        span: Span,
        open: &mut OpenLine,
    ) -> Result<Ref, Full> {
        let upper = span.first >> NARROW_BITS;
        let (line, used) = match open.narrow.take() {
            Some((line, used, of)) if used + words.len() <= NARROW_ENTRIES && of == upper => {
                (line, used)
            }
            _ => (self.room.lines(1)?, 0),
        };
        let last = words.last().copied().into_iter().cycle();
        for (at, word) in (used..NARROW_ENTRIES).zip(words.iter().copied().chain(last)) {
            self.memory.write(line, at, word);
        }
        open.narrow = Some((line, used + words.len(), upper));
        Ok(Ref::narrow_leaf(line))
    }

    /// A leaf, in a line that leaves of lower keys may have begun: theirs don't count for
    /// ours, nor ours for theirs.
    fn place_leaf(&mut self, entries: &[Entry], open: &mut OpenLine) -> Result<Ref, Full> {
        let mut settled = Vec::with_capacity(entries.len());
        for Entry { key, reference } in entries {
            settled.push(Entry { key: *key, reference: self.settled(*reference)? });
        }
        let entries = settled.as_slice();
        let (line, used) = match open.wide.take() {
            Some((line, used)) if used + entries.len() <= LEAF_ENTRIES => (line, used),
            _ => (self.room.lines(1)?, 0),
        };
        // The last entry fills up the line: repeated, it answers the same.
        let last = entries.last().copied().into_iter().cycle();
        let all = entries.iter().copied().chain(last);
        for (at, entry) in (used..LEAF_ENTRIES).zip(all) {
            self.memory.write(line, 2 * at, entry.key);
            self.memory.write(line, 2 * at + 1, entry.reference.0);
        }
        open.wide = Some((line, used + entries.len()));
        Ok(Ref::leaf(line))
    }

    /// Leaves below leaves; one, if a narrow one is enough.
    fn place_leaves(
        &mut self,
        entries: &[Entry],
        span: Span,
        open: &mut OpenLine,
    ) -> Result<Ref, Full> {
        let narrow = self.narrowed(entries, span)?;
        if let Some(words) = &narrow
            && words.len() <= NARROW_ENTRIES
        {
            return self.place_narrow(words, span, open);
        }
        let mut level = Vec::with_capacity(entries.len().div_ceil(LEAF_ENTRIES));
        let size = if narrow.is_some() { NARROW_ENTRIES } else { LEAF_ENTRIES };
        for (at, leaf) in entries.chunks(size).enumerate() {
            let words = narrow.as_ref().map(|words| words.chunks(size).nth(at).unwrap_or_default());
            let reference = match words {
                Some(words) => self.place_narrow(words, span, &mut OpenLine::default())?,
                None => self.place_leaf(leaf, &mut OpenLine::default())?,
            };
            level.extend(leaf.first().map(|first| Entry { key: first.key, reference }));
        }
        while level.len() > LEAF_ENTRIES {
            level = self.place_level(&level)?;
        }
        self.place_leaf(&level, &mut OpenLine::default())
    }

    /// Leaves of these entries, as entries of the leaves above them.
    fn place_level(&mut self, entries: &[Entry]) -> Result<Vec<Entry>, Full> {
        let place = |leaf: &[Entry]| {
            let reference = self.place_leaf(leaf, &mut OpenLine::default())?;
            Ok(Entry { key: leaf.first().map_or(0, |first| first.key), reference })
        };
        entries.chunks(LEAF_ENTRIES).map(place).collect()
    }

    fn place_direct(&mut self, entries: &[Entry], span: Span) -> Result<Ref, Full> {
        let bits = entries.len().ilog2().min(MAX_BITS).min(span.left);
        let lines = (1_u32 << bits).div_ceil(SLOTS_PER_LINE);
        let node = Ref::direct(bits, self.room.lines(lines)?);
        self.fill_direct(entries, span, node)?;
        Ok(node)
    }

    fn fill_direct(&mut self, entries: &[Entry], span: Span, node: Ref) -> Result<(), Full> {
        let left = span.left - node.bits();
        let mut open = OpenLine::default();
        let mut rest = entries;
        let mut in_force = Ref::NONE;
        for slot in 0..1_u32 << node.bits() {
            // A shift by 32 bits only comes with slot 0.
            let first = span.first + slot.unbounded_shl(left);
            let end = u64::from(first) + (1 << left);
            let count = rest.partition_point(|entry| u64::from(entry.key) < end);
            let (here, behind) = rest.split_at(count);
            rest = behind;
            let inner = Span { first, left, directs: span.directs + 1 };
            let reference = self.place_slot(here, in_force, inner, &mut open)?;
            in_force = here.last().map_or(in_force, |last| last.reference);
            let (line, word) = slot_at(node.line(), slot);
            self.memory.write(line, word, reference.0);
        }
        Ok(())
    }

    fn place_slot(
        &mut self,
        here: &[Entry],
        in_force: Ref,
        span: Span,
        open: &mut OpenLine,
    ) -> Result<Ref, Full> {
        if here.first().is_some_and(|first| first.key == span.first) {
            return self.place_in(here, span, open);
        }
        let mut entries = Vec::with_capacity(here.len() + 1);
        entries.push(Entry { key: span.first, reference: in_force });
        entries.extend_from_slice(here);
        self.place_in(&entries, span, open)
    }
}

/// Lines of leaves of one direct node that aren't full.
#[derive(Debug, Default)]
struct OpenLine {
    /// The line, and how many entries it has.
    wide: Option<(u32, usize)>,
    /// The same, and the upper half of its keys.
    narrow: Option<(u32, usize, u32)>,
}

/// The direct node at which a family's walks begin.
pub(super) const fn root<A: Bits>() -> Ref {
    Ref::direct(ROOT_BITS, if A::WIDTH == 32 { ROOT_V4 } else { ROOT_V6 })
}

/// Where a direct node's slot lies.
pub(super) fn slot_at(base: u32, slot: u32) -> (u32, usize) {
    (base + slot / SLOTS_PER_LINE, usize::try_from(slot % SLOTS_PER_LINE).unwrap_or(0))
}

/// A key whose block leads on into the next window, and what holds behind it.
fn push_block(entries: &mut Vec<Entry>, key: u32, inner: Ref, after: Ref) {
    push(entries, key, inner);
    if let Some(next) = key.checked_add(1) {
        push(entries, next, after);
    }
}

/// Entries come in order; of two with one key the later one counts.
fn push(entries: &mut Vec<Entry>, key: u32, reference: Ref) {
    entries.pop_if(|last| last.key == key);
    if entries.last().is_none_or(|last| last.reference != reference) {
        entries.push(Entry { key, reference });
    }
}
