//! One entry came or went: the slots that it concerns are built again and switched over.

use super::build::{Entry, Span, root, slot_at};
use super::waiting::Waiting;
use super::{Full, Image, Memory};
use crate::policy::compile::Compiler;
use crate::policy::entries::Family;
use filter_common::policy::Ref;

/// A word to be switched over, so that packets see a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    line: u32,
    word: usize,
    value: Ref,
}

/// A reference in the image, and what it answers for.
#[derive(Clone, Copy, Debug)]
struct Site {
    line: u32,
    word: usize,
    span: Span,
}

/// Slots that one change builds again. A change that concerns more is made by a whole new
/// image instead.
const MAX_SITES: u32 = 2048;

impl<M: Memory> Image<M> {
    /// Writes down what answers between two addresses, as the lists are now. Nothing is
    /// switched over yet, so that the caller can still change his mind.
    ///
    /// *Errors*: [`Full`]: there is no room, or too much would have to be built; a whole
    /// new image is needed.
    pub fn prepare<A: Family>(
        &mut self,
        compiler: &mut Compiler<'_>,
        first: A,
        last: A,
    ) -> Result<Vec<Switch>, Full> {
        // What a change that found no room left behind is of no use.
        self.waiting = Waiting::default();
        let sites = self.sites(root::<A>(), first.window(0), last.window(0))?;
        sites.into_iter().map(|site| self.rebuild::<A>(compiler, site)).collect()
    }

    /// Lets packets see what was prepared.
    pub fn commit(&mut self, switches: &[Switch]) {
        for switch in switches {
            self.memory.switch(switch.line, switch.word, switch.value.0);
        }
    }

    /// The deepest sites that hold all keys between two.
    fn sites(&self, root: Ref, first: u32, last: u32) -> Result<Vec<Site>, Full> {
        let (mut node, mut span) = (root, Span::WINDOW);
        loop {
            let left = span.left - node.bits();
            let slot_of = |key: u32| (key - span.first).unbounded_shr(left);
            let (from, to) = (slot_of(first), slot_of(last));
            let at = |slot: u32| {
                let (line, word) = slot_at(node.line(), slot);
                let first = span.first + slot.unbounded_shl(left);
                Site { line, word, span: Span { first, left, directs: span.directs + 1 } }
            };
            if to - from >= MAX_SITES {
                return Err(Full(self.memory.capacity()));
            }
            let below = self.reference(&at(from));
            if from != to || below.kind() != Ref::DIRECT || below.advances() {
                return Ok((from..=to).map(at).collect());
            }
            (node, span) = (below, at(from).span);
        }
    }

    fn reference(&self, site: &Site) -> Ref {
        Ref(self.memory.line(site.line).map_or(0, |line| line[site.word]))
    }

    fn rebuild<A: Family>(
        &mut self,
        compiler: &mut Compiler<'_>,
        site: Site,
    ) -> Result<Switch, Full> {
        let first = A::from_window(site.span.first);
        let last_key = site.span.first | u32::MAX.unbounded_shr(u32::BITS - site.span.left);
        let last = A::from_window(last_key).last(32);
        let segments = compiler.segments(first, last);
        let entries = self.window(&compiler.standings, &segments, 0, Ref::NONE)?;
        let entries = from_key(entries, site.span.first);
        let value = self.place(&entries, site.span)?;
        Ok(Switch { line: site.line, word: site.word, value })
    }
}

/// Entries of a span alone. They were collected from key 0 on, at which nothing holds.
fn from_key(mut entries: Vec<Entry>, first: u32) -> Vec<Entry> {
    if entries.get(1).is_some_and(|second| second.key == first) {
        entries.remove(0);
    } else if let Some(held) = entries.first_mut() {
        held.key = first;
    }
    entries
}
