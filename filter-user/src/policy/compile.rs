//! From lists to segments: at which addresses the policy's answer changes, and to what.
//!
//! Prefixes nest, so one pass over all of them in order, with a stack of those that are
//! open, sees every change. What is open at an address is a [`Standing`]: the entries that
//! could decide now or once stronger ones have ended.

use super::bits::Bits;
use super::entries::{Family, Row};
use super::list::List;
use super::standing::{ClassNumber, Contender, Standing, Standings};

/// From this address to the next segment's, the answer is a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<A> {
    /// Its first address.
    pub start: A,
    /// The answer.
    pub class: ClassNumber,
}

/// Compiles lists.
#[derive(Debug)]
pub struct Compiler<'a> {
    lists: Vec<&'a List>,
    unix_s: u64,
    /// For each list, the contender of each note; made when first met.
    contenders: Vec<Vec<Option<Contender>>>,
    /// What may stand at an address.
    pub standings: Standings,
}

/// A row with the list that it is from.
type Listed<A> = (Row<A>, usize);

impl<'a> Compiler<'a> {
    /// A compiler of these lists as they are at a time.
    pub fn new(lists: impl IntoIterator<Item = &'a List>, unix_s: u64) -> Self {
        let mut lists: Vec<_> = lists.into_iter().collect();
        // Of entries with the same prefix and priority the one that comes last wins:
        // block before limit, then the list with the lower number.
        lists.sort_by_key(|list| {
            (list.settings.action.number() == super::BLOCK, std::cmp::Reverse(list.id))
        });
        let contenders = lists.iter().map(|list| vec![None; list.entries.notes().len()]).collect();
        Self { lists, unix_s, contenders, standings: Standings::default() }
    }

    /// The segments between two addresses; the first starts at `first`, and neighbours
    /// differ.
    pub fn segments<A: Family>(&mut self, first: A, last: A) -> Vec<Segment<A>> {
        let mut sweep = Sweep::new(first, last);
        for (row, list) in self.holding(first) {
            self.open(&mut sweep, row, list);
        }
        for (row, list) in self.within(first, last) {
            self.open(&mut sweep, row, list);
        }
        sweep.finish(&mut self.standings)
    }

    fn open<A: Bits>(&mut self, sweep: &mut Sweep<A>, row: Row<A>, list: usize) {
        if let Some(contender) = self.contender(list, row.note) {
            sweep.open(&mut self.standings, row, contender);
        }
    }

    /// What an entry brings; `None` once it has ended.
    fn contender(&mut self, at: usize, note: u32) -> Option<Contender> {
        let list = self.lists[at];
        let slot = self.contenders[at].get_mut(usize::try_from(note).ok()?)?;
        let contender = *slot
            .get_or_insert_with(|| self.standings.contender(list, list.entries.notes().note(note)));
        (!list.entries.notes().note(note).has_ended(self.unix_s)).then_some(contender)
    }

    /// Entries that begin before an address and hold it, the shortest prefix first.
    fn holding<A: Family>(&self, address: A) -> Vec<Listed<A>> {
        let lens = (0..=A::WIDTH).filter(|len| address.network(*len) < address);
        let mut found = Vec::new();
        for len in lens {
            let wanted = (address.network(len), len);
            for (at, list) in self.lists.iter().enumerate() {
                let rows = A::rows(&list.entries);
                if let Ok(row) = rows.binary_search_by_key(&wanted, |row| (row.address, row.len)) {
                    found.push((rows[row], at));
                }
            }
        }
        found
    }

    /// Entries that begin between two addresses, in order.
    fn within<A: Family>(&self, first: A, last: A) -> impl Iterator<Item = Listed<A>> + use<A> {
        let mut all = Vec::new();
        for (at, list) in self.lists.iter().enumerate() {
            let rows = A::rows(&list.entries);
            let from = rows.partition_point(|row| row.address < first);
            let to = rows.partition_point(|row| row.address <= last);
            all.extend(rows[from..to].iter().map(|row| (*row, at)));
        }
        // Stable: of the same prefix, the lists stay in their order.
        all.sort_by_key(|(row, _)| (row.address, row.len));
        all.into_iter()
    }
}

/// The pass over prefixes in order.
struct Sweep<A> {
    last: A,
    segments: Vec<Segment<A>>,
    /// Open prefixes: their last addresses, and what stands inside them.
    open: Vec<(A, Standing)>,
}

impl<A: Bits> Sweep<A> {
    fn new(first: A, last: A) -> Self {
        let start = Segment { start: first, class: ClassNumber::NONE };
        Self { last, segments: vec![start], open: Vec::new() }
    }

    fn open(&mut self, standings: &mut Standings, row: Row<A>, contender: Contender) {
        self.close_before(standings, row.address);
        let outside = self.open.last().map_or(Standing::NOTHING, |(_, standing)| *standing);
        let inside = standings.with(outside, contender);
        self.open.push((row.address.last(row.len), inside));
        self.begin(row.address, standings.class(inside));
    }

    /// Closes what ends before an address.
    fn close_before(&mut self, standings: &mut Standings, address: A) {
        while let Some((last, _)) = self.open.pop_if(|(last, _)| *last < address) {
            self.return_to_outside(standings, last);
        }
    }

    fn return_to_outside(&mut self, standings: &mut Standings, last: A) {
        let outside = self.open.last().map_or(Standing::NOTHING, |(_, standing)| *standing);
        if last < self.last
            && let Some(next) = last.next()
        {
            self.begin(next, standings.class(outside));
        }
    }

    /// From here on there is another answer, unless the address was passed already.
    fn begin(&mut self, start: A, class: ClassNumber) {
        // What holds the first address of all was opened before it.
        let start = self.segments.first().map_or(start, |first| first.start.max(start));
        if self.segments.last().is_some_and(|last| last.start == start) {
            self.segments.pop();
        }
        if self.segments.last().is_none_or(|last| last.class != class) {
            self.segments.push(Segment { start, class });
        }
    }

    fn finish(mut self, standings: &mut Standings) -> Vec<Segment<A>> {
        while let Some((last, _)) = self.open.pop() {
            self.return_to_outside(standings, last);
        }
        self.segments
    }
}

/// Segments with the same window, together.
pub(super) fn groups<A: Bits>(
    segments: &[Segment<A>],
    window: u32,
) -> impl Iterator<Item = &[Segment<A>]> {
    segments.chunk_by(move |a, b| a.start.window(window) == b.start.window(window))
}
