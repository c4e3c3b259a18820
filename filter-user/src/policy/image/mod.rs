//! The image: the compiled policy as the kernel reads it, built and changed.
//!
//! `filter_common::policy` says what an image looks like and why a change is one word.
//! Memory inside an image is given out once and never again: what a change leaves behind
//! stays until the next whole image. So no packet can meet a line that became something
//! else, and nobody has to wait for packets in flight.

mod answers;
mod build;
mod change;
mod room;
mod waiting;

use super::compile::Compiler;
use super::standing::{Answer, ClassNumber, Standings};
use answers::Answers;
use filter_common::abi::address::AddressClass;
use filter_common::policy::{Line, Lines, ROOT_LINES, ROOT_V6, Ref};
use room::Room;
use std::collections::HashMap;
use waiting::Waiting;

pub use change::Switch;

/// Where an image lies: memory of this process, or a map of the kernel's.
pub trait Memory: Lines {
    /// Lines that there is room for.
    fn capacity(&self) -> u32;
    /// Writes a word that nothing refers to yet.
    fn write(&mut self, line: u32, word: usize, value: u32);
    /// Writes a word that packets may be reading: whoever sees it sees all that was
    /// written before.
    fn switch(&mut self, line: u32, word: usize, value: u32);
}

/// An image that has no room for what it should hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the compiled policy needs more than {} lines of 64 bytes", .0)]
pub struct Full(
    /// The lines that there are.
    pub u32,
);

/// An image.
///
/// *Concurrency*: one writer; packets read meanwhile.
#[derive(Debug)]
pub struct Image<M> {
    memory: M,
    room: Room,
    /// Answers that expire, by their words.
    expiring: HashMap<[u32; 3], Ref>,
    answers: Answers,
    waiting: Waiting,
    built_lines: u32,
    /// A moment of the wall clock in whole seconds when the kernel's clock was zero.
    epoch_unix_s: u64,
}

/// The header's line.
const HEADER: u32 = 0;

/// Lines of an image without a single rule.
const MIN_LINES: u32 = ROOT_V6 + ROOT_LINES;

impl<M: Memory> Image<M> {
    /// Compiles lists into an image.
    ///
    /// *Units*: `epoch_unix_s` is when the clock of `bpf_ktime_get_ns` was zero, in
    /// seconds since 1970.
    ///
    /// *Errors*: [`Full`].
    pub fn build(memory: M, compiler: &mut Compiler<'_>, epoch_unix_s: u64) -> Result<Self, Full> {
        let mut room = Room::new(memory.capacity());
        room.lines(MIN_LINES)?;
        let expiring = HashMap::new();
        let (answers, waiting) = (Answers::default(), Waiting::default());
        let mut image =
            Self { memory, room, expiring, answers, waiting, built_lines: 0, epoch_unix_s };
        image.build_family::<u32>(compiler)?;
        image.build_family::<u128>(compiler)?;
        image.built_lines = image.used_lines();
        Ok(image)
    }

    /// Where it lies.
    pub const fn memory(&self) -> &M {
        &self.memory
    }

    /// Lines in use, garbage of earlier changes among them.
    pub const fn used_lines(&self) -> u32 {
        self.room.used()
    }

    /// Lines that it had when it was built.
    pub const fn built_lines(&self) -> u32 {
        self.built_lines
    }

    /// When the kernel's clock was zero, as its expiries are counted.
    pub const fn epoch_unix_s(&self) -> u64 {
        self.epoch_unix_s
    }

    /// Whether anything in it ends.
    #[must_use]
    pub fn has_expiries(&self) -> bool {
        !self.expiring.is_empty()
    }

    /// Lays the image somewhere else, as it is.
    pub fn moved<N: Memory>(self, memory: N) -> Image<N> {
        let Self { room, expiring, answers, waiting, built_lines, epoch_unix_s, .. } = self;
        let room = room.with_capacity(memory.capacity());
        Image { memory, room, expiring, answers, waiting, built_lines, epoch_unix_s }
    }

    /// The reference to an answer, written down if it expires and is new.
    fn answer(&mut self, standings: &Standings, number: ClassNumber) -> Result<Ref, Full> {
        let class = standings.look_up(number);
        let shadows = class.shadow != class.enforced;
        let shadow = if shadows { class.shadow } else { Answer::default() };
        let of = |answer: Answer| (answer.action, answer.list);
        let answer = AddressClass::new(of(class.enforced), of(shadow));
        if class.expires_unix_s == 0 {
            return Ok(Ref(answer.0));
        }
        let next = self.answer(standings, class.next)?;
        let words = [answer.0, self.kernel_s(class.expires_unix_s), next.0];
        if let Some(known) = self.expiring.get(&words) {
            return Ok(*known);
        }
        let (line, quarter) = self.room.quarter()?;
        for (at, word) in (quarter * 4..).zip(words) {
            self.memory.write(line, at, word);
        }
        let reference = Ref::expiring(line * 4 + u32::try_from(quarter).unwrap_or(0));
        self.expiring.insert(words, reference);
        Ok(reference)
    }

    /// A moment of the wall clock on the kernel's clock, in seconds.
    fn kernel_s(&self, unix_s: u64) -> u32 {
        let since = unix_s.saturating_sub(self.epoch_unix_s);
        u32::try_from(since).unwrap_or(u32::MAX)
    }
}

/// Memory of this process; it grows up to a bound.
#[derive(Debug)]
pub struct HostMemory {
    lines: Vec<Line>,
    capacity: u32,
}

impl HostMemory {
    /// Room for so many lines, taken as they are written.
    #[must_use]
    pub const fn new(capacity: u32) -> Self {
        Self { lines: Vec::new(), capacity }
    }

    /// The lines that were written.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }
}

impl Lines for HostMemory {
    fn line(&self, index: u32) -> Option<&Line> {
        self.lines.get(usize::try_from(index).ok()?)
    }
}

impl Memory for HostMemory {
    fn capacity(&self) -> u32 {
        self.capacity
    }

    fn write(&mut self, line: u32, word: usize, value: u32) {
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        if line >= self.lines.len() {
            self.lines.resize(line.saturating_add(1), Line::default());
        }
        self.lines[line][word] = value;
    }

    fn switch(&mut self, line: u32, word: usize, value: u32) {
        self.write(line, word, value);
    }
}
