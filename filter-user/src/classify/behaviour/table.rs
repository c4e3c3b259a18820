//! A map with a bound, from which the least goes first.

use std::collections::HashMap;
use std::hash::Hash;

/// A bounded map.
///
/// When it is full, an eighth of it makes room at once: what `worth` holds least of. All
/// others are looked at once for that, so that a new one costs little on average.
#[derive(Clone, Debug)]
pub struct Table<K, V> {
    /// In boxes: rows are large, and all keys are looked at when one has to go.
    rows: HashMap<K, Box<V>>,
    capacity: usize,
}

impl<K: Hash + Ord + Clone, V: Default> Table<K, V> {
    /// An empty one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { rows: HashMap::new(), capacity }
    }

    /// The row of a key, made if there is none.
    pub fn entry<W: Ord>(&mut self, key: &K, worth: impl Fn(&V) -> W) -> &mut V {
        self.make_room_for(key, worth);
        self.rows.entry(key.clone()).or_default()
    }

    /// The row of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key).map(AsRef::as_ref)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.rows.get_mut(key).map(AsMut::as_mut)
    }

    /// Takes a row out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.rows.remove(key).map(|row| *row)
    }

    /// Keeps the rows that fit.
    pub fn retain(&mut self, mut fits: impl FnMut(&K, &mut V) -> bool) {
        self.rows.retain(|key, row| fits(key, row));
    }

    /// All rows, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let mut rows: Vec<_> = self.rows.iter().map(|(key, row)| (key, row.as_ref())).collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        rows.into_iter()
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes out what is worth least if there is no room for a key; the keys that are gone.
    pub fn make_room_for<W: Ord>(&mut self, key: &K, worth: impl Fn(&V) -> W) -> Vec<K> {
        // A map that grows keeps everybody waiting.
        if self.rows.capacity() == 0 {
            self.rows.reserve(self.capacity);
        }
        if self.rows.len() < self.capacity || self.rows.contains_key(key) {
            return Vec::new();
        }
        let mut rows: Vec<(W, K)> =
            self.rows.iter().map(|(key, row)| (worth(row), key.clone())).collect();
        let leaving = (self.capacity / 8).clamp(1, rows.len().max(1));
        if leaving < rows.len() {
            rows.select_nth_unstable(leaving);
        }
        let leaving = rows.into_iter().take(leaving).map(|(_, key)| key);
        leaving.inspect(|key| drop(self.rows.remove(key))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_goes_and_nothing_grows() {
        let mut table: Table<u32, u32> = Table::new(80);
        for key in 0..10 {
            *table.entry(&key, |row| *row) = 9;
        }
        for key in 10..10_000 {
            *table.entry(&key, |row| *row) = 1;
            assert!(table.len() <= 80);
        }
        assert!((0..10).all(|key| table.get(&key) == Some(&9)));
        assert!(table.get(&9_999).is_some() && table.get(&10).is_none());
    }
}
