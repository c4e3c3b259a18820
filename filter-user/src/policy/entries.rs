//! The entries of a list: sorted rows, small enough for a million of them.

use super::bits::Bits;
use super::note::{Note, Notes};
use ipnet::IpNet;

/// An entry: a prefix, and the number of what is said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<A> {
    /// The prefix's first address.
    pub address: A,
    /// The prefix's length.
    pub len: u8,
    /// Its [`Note`].
    pub note: u32,
}

impl<A: Bits> Row<A> {
    const fn key(&self) -> (A, u8) {
        (self.address, self.len)
    }
}

/// A list's entries, each prefix once.
///
/// *Shape*: 12 bytes an IPv4 entry, 32 an IPv6 one, and 100 or so for each distinct note.
/// Adding or removing one moves those behind it: a millisecond among a million.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    v4: Vec<Row<u32>>,
    v6: Vec<Row<u128>>,
    notes: Notes,
}

/// A family whose rows a list holds.
pub trait Family: Bits {
    /// The rows, in the order of address, then length.
    fn rows(entries: &Entries) -> &[Row<Self>];
    /// The rows, to be added to.
    fn rows_mut(entries: &mut Entries) -> &mut Vec<Row<Self>>;
}

impl Family for u32 {
    fn rows(entries: &Entries) -> &[Row<Self>] {
        &entries.v4
    }

    fn rows_mut(entries: &mut Entries) -> &mut Vec<Row<Self>> {
        &mut entries.v4
    }
}

impl Family for u128 {
    fn rows(entries: &Entries) -> &[Row<Self>] {
        &entries.v6
    }

    fn rows_mut(entries: &mut Entries) -> &mut Vec<Row<Self>> {
        &mut entries.v6
    }
}

impl Entries {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// The notes of the rows.
    #[must_use]
    pub const fn notes(&self) -> &Notes {
        &self.notes
    }

    /// What is said of a prefix.
    #[must_use]
    pub fn get(&self, prefix: &IpNet) -> Option<&Note> {
        let note = match prefix {
            IpNet::V4(net) => find(&self.v4, net.addr().to_bits(), net.prefix_len()).ok(),
            IpNet::V6(net) => {
                let at = find(&self.v6, net.addr().to_bits(), net.prefix_len()).ok();
                return at.map(|at| self.notes.note(self.v6[at].note));
            }
        };
        note.map(|at| self.notes.note(self.v4[at].note))
    }

    /// Adds or replaces an entry; what was said of it before comes back.
    ///
    /// *Shape*: the prefix has no host bits.
    pub fn insert(&mut self, prefix: &IpNet, note: Note) -> Option<Note> {
        let number = self.notes.number(note);
        let before = match prefix {
            IpNet::V4(net) => insert(&mut self.v4, net.addr().to_bits(), net.prefix_len(), number),
            IpNet::V6(net) => insert(&mut self.v6, net.addr().to_bits(), net.prefix_len(), number),
        };
        before.map(|number| self.notes.note(number).clone())
    }

    /// Removes an entry; what was said of it comes back.
    pub fn remove(&mut self, prefix: &IpNet) -> Option<Note> {
        let number = match prefix {
            IpNet::V4(net) => remove(&mut self.v4, net.addr().to_bits(), net.prefix_len()),
            IpNet::V6(net) => remove(&mut self.v6, net.addr().to_bits(), net.prefix_len()),
        };
        number.map(|number| self.notes.note(number).clone())
    }

    /// Every entry, IPv4 first, in the order of prefixes.
    pub fn iter(&self) -> impl Iterator<Item = (IpNet, &Note)> {
        let v4 = self.v4.iter().map(|row| (row.address.prefix(row.len), self.notes.note(row.note)));
        let v6 = self.v6.iter().map(|row| (row.address.prefix(row.len), self.notes.note(row.note)));
        v4.chain(v6)
    }

    /// How many prefixes are in both.
    #[must_use]
    pub fn common(&self, other: &Self) -> usize {
        common(&self.v4, &other.v4) + common(&self.v6, &other.v6)
    }

    /// Takes out entries that have ended.
    pub fn take_ended(&mut self, unix_s: u64) -> Vec<IpNet> {
        // Most lists have no entry that ends: that is seen from the notes alone.
        if !self.notes.iter().any(|note| note.has_ended(unix_s)) {
            return Vec::new();
        }
        let mut taken = Vec::new();
        take_ended(&mut self.v4, &self.notes, unix_s, &mut taken);
        take_ended(&mut self.v6, &self.notes, unix_s, &mut taken);
        self.forget_notes();
        taken
    }

    /// Forgets notes that no entry has any more.
    fn forget_notes(&mut self) {
        let notes = std::mem::take(&mut self.notes);
        let mut moved = vec![None; notes.len()];
        let numbers = self.v4.iter_mut().map(|row| &mut row.note);
        for number in numbers.chain(self.v6.iter_mut().map(|row| &mut row.note)) {
            let kept = usize::try_from(*number).ok().and_then(|at| moved.get_mut(at));
            if let Some(kept) = kept {
                *number =
                    *kept.get_or_insert_with(|| self.notes.number(notes.note(*number).clone()));
            }
        }
    }
}

fn take_ended<A: Bits>(rows: &mut Vec<Row<A>>, notes: &Notes, unix_s: u64, taken: &mut Vec<IpNet>) {
    let ended = rows.extract_if(.., |row| notes.note(row.note).has_ended(unix_s));
    taken.extend(ended.map(|row| row.address.prefix(row.len)));
}

/// Entries as they come, in any order.
#[derive(Debug, Default)]
pub struct Collected {
    entries: Entries,
    duplicates: usize,
}

impl Collected {
    /// Starts with what a list has already.
    #[must_use]
    pub const fn onto(entries: Entries) -> Self {
        Self { entries, duplicates: 0 }
    }

    /// Starts with notes, to be named by [`Collected::push_row`].
    #[must_use]
    pub fn with_notes(notes: impl IntoIterator<Item = Note>) -> Self {
        let mut collected = Self::default();
        for note in notes {
            collected.entries.notes.append(note);
        }
        collected
    }

    /// Takes a row; `false` if there is no note of that number.
    ///
    /// *Shape*: the address has no host bits.
    pub fn push_row<A: Family>(&mut self, address: A, len: u8, note: u32) -> bool {
        let known = usize::try_from(note).is_ok_and(|note| note < self.entries.notes.len());
        A::rows_mut(&mut self.entries).push(Row { address, len, note });
        known
    }

    /// Takes a prefix without host bits.
    pub fn push(&mut self, prefix: IpNet, note: Note) {
        let note = self.entries.notes.number(note);
        match prefix {
            IpNet::V4(net) => {
                let (address, len) = (net.addr().to_bits(), net.prefix_len());
                self.entries.v4.push(Row { address, len, note });
            }
            IpNet::V6(net) => {
                let (address, len) = (net.addr().to_bits(), net.prefix_len());
                self.entries.v6.push(Row { address, len, note });
            }
        }
    }

    /// How many were taken, duplicates too.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none was taken.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries in order, each prefix as it came last, and how many came again.
    #[must_use]
    pub fn finish(mut self) -> (Entries, usize) {
        self.duplicates += settle(&mut self.entries.v4) + settle(&mut self.entries.v6);
        (self.entries, self.duplicates)
    }
}

/// Sorts rows and keeps the last of those with the same prefix.
fn settle<A: Bits>(rows: &mut Vec<Row<A>>) -> usize {
    let before = rows.len();
    // Stable, and fast on what is sorted in runs: of two with the same prefix the later
    // one comes later.
    rows.sort_by_key(Row::key);
    rows.dedup_by(|later, kept| {
        let same = later.key() == kept.key();
        if same {
            kept.note = later.note;
        }
        same
    });
    rows.shrink_to_fit();
    before - rows.len()
}

fn find<A: Bits>(rows: &[Row<A>], address: A, len: u8) -> Result<usize, usize> {
    rows.binary_search_by_key(&(address, len), Row::key)
}

fn common<A: Bits>(one: &[Row<A>], other: &[Row<A>]) -> usize {
    let mut other = other.iter().map(Row::key).peekable();
    let both = one.iter().map(Row::key).filter(|key| {
        while other.next_if(|behind| behind < key).is_some() {}
        other.peek() == Some(key)
    });
    both.count()
}

fn insert<A: Bits>(rows: &mut Vec<Row<A>>, address: A, len: u8, note: u32) -> Option<u32> {
    match find(rows, address, len) {
        Ok(at) => Some(std::mem::replace(&mut rows[at].note, note)),
        Err(at) => {
            rows.insert(at, Row { address, len, note });
            None
        }
    }
}

fn remove<A: Bits>(rows: &mut Vec<Row<A>>, address: A, len: u8) -> Option<u32> {
    find(rows, address, len).ok().map(|at| rows.remove(at).note)
}
