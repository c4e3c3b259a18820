//! Classes of services in the kernel: a class in use never changes its meaning.
//!
//! Pure: [`Classes`] knows what the kernel has, and says what to write there.

use crate::limit::Compiled;
use filter_common::abi::limit::{CLASS_COUNT, Plan};

/// What the kernel has.
#[derive(Debug)]
pub(super) struct Classes {
    words: Vec<u64>,
    plans: Vec<Plan>,
    /// The class that was given away last; the next search starts behind it, so that one
    /// that was just given up comes last: packets that are under way may still read it.
    last: u32,
}

/// What is to be written: the plans first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ClassChange {
    /// Classes that nobody uses yet.
    pub(super) plans: Vec<(u32, Plan)>,
    /// Words of eight services each, by index.
    pub(super) words: Vec<(u32, u64)>,
}

const CLASSES: usize = CLASS_COUNT as usize;

impl Classes {
    /// What the kernel has, as it was read.
    pub(super) const fn new(words: Vec<u64>, plans: Vec<Plan>) -> Self {
        Self { words, plans, last: 0 }
    }

    /// What leads from here to what was compiled.
    pub(super) fn change(&self, compiled: &Compiled) -> ClassChange {
        let mut choice = Choice { classes: self, used: self.used(), new: Vec::new() };
        let numbers: Vec<u8> = compiled.plans.iter().map(|plan| choice.number(*plan)).collect();
        let number = |class: u8| numbers.get(usize::from(class)).copied().unwrap_or(0);
        // Ports come in long runs.
        let (mut last, mut as_last) = (0, 0);
        let renumbered = |word: u64| {
            if word != last {
                (last, as_last) = (word, u64::from_le_bytes(word.to_le_bytes().map(number)));
            }
            as_last
        };
        let words = (0_u32..).zip(compiled.services.iter().copied().map(renumbered));
        let is_new = |(at, word): &(u32, u64)| self.words.get(*at as usize) != Some(word);
        ClassChange { words: words.filter(is_new).collect(), plans: choice.new }
    }

    /// A plan was written.
    pub(super) fn wrote_plan(&mut self, class: u32, plan: Plan) {
        self.plans[class as usize] = plan;
        self.last = class;
    }

    /// A word was written.
    pub(super) fn wrote_word(&mut self, at: u32, word: u64) {
        self.words[at as usize] = word;
    }

    /// Which classes services point at. The first one is always the empty plan's.
    fn used(&self) -> [bool; CLASSES] {
        let mut used = [false; CLASSES];
        used[0] = true;
        let mut words = self.words.clone();
        words.dedup();
        for class in words.into_iter().flat_map(u64::to_le_bytes) {
            used[usize::from(class)] = true;
        }
        used
    }
}

/// Finds classes for plans.
struct Choice<'a> {
    classes: &'a Classes,
    used: [bool; CLASSES],
    new: Vec<(u32, Plan)>,
}

impl Choice<'_> {
    /// The class of a plan: the one that has it, or one that nobody uses.
    ///
    /// There is room: what is compiled has at most half of the classes, and so had what was
    /// compiled before. Were there none, the services would go without limits.
    fn number(&mut self, plan: Plan) -> u8 {
        if plan == Plan::default() {
            return 0;
        }
        let is_used = |class: &u32| self.used[*class as usize];
        let has_it = |class: &u32| is_used(class) && self.classes.plans[*class as usize] == plan;
        let last = self.new.last().map_or(self.classes.last, |(class, _)| *class);
        let is_free = |class: &u32| !is_used(class) && self.new.iter().all(|(new, _)| new != class);
        let found = (1..CLASS_COUNT).find(has_it);
        let free = || (last + 1..CLASS_COUNT).chain(1..CLASS_COUNT).find(is_free);
        let Some(class) = found.or_else(free) else {
            return 0;
        };
        if found.is_none() {
            self.new.push((class, plan));
        }
        class.to_le_bytes()[0]
    }
}

#[cfg(test)]
mod tests;
