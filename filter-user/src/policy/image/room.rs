//! The room in an image, given out once.

use super::Full;

/// What is still free.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    next: u32,
    capacity: u32,
    /// A line of expiring answers that isn't full, and the quarters in it.
    quarters: Option<(u32, u32)>,
}

/// Expiring answers of a line.
const QUARTERS: u32 = 4;

impl Room {
    pub(super) const fn new(capacity: u32) -> Self {
        Self { next: 0, capacity, quarters: None }
    }

    pub(super) const fn with_capacity(self, capacity: u32) -> Self {
        Self { capacity, ..self }
    }

    pub(super) const fn used(&self) -> u32 {
        self.next
    }

    /// So many lines in a row; the first of them.
    pub(super) fn lines(&mut self, count: u32) -> Result<u32, Full> {
        let first = self.next;
        let next = first.checked_add(count).filter(|next| *next <= self.capacity);
        self.next = next.ok_or(Full(self.capacity))?;
        Ok(first)
    }

    /// Room for one expiring answer: the line, and which quarter of it.
    pub(super) fn quarter(&mut self) -> Result<(u32, usize), Full> {
        let (line, used) = match self.quarters {
            Some((line, used)) if used < QUARTERS => (line, used),
            _ => (self.lines(1)?, 0),
        };
        self.quarters = Some((line, used + 1));
        Ok((line, usize::try_from(used).unwrap_or(0)))
    }
}
