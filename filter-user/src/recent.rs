//! A map that forgets what wasn't used for longest.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A map that forgets what wasn't used for longest.
///
/// *Shape*: at most as many values as it was made for. The order of use is a queue that may name a
/// key more than once; only the last time counts, and the queue is tidied when it is twice as long
/// as there may be values.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    most: usize,
    values: HashMap<K, (u64, V)>,
    used: VecDeque<(u64, K)>,
    clock: u64,
    forgotten: u64,
}

impl<K: Hash + Eq + Copy, V> Recent<K, V> {
    /// An empty map for so many values.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, values: HashMap::new(), used: VecDeque::new(), clock: 0, forgotten: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Values that had to make room.
    pub(crate) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// A value; that isn't a use.
    pub(crate) fn look(&self, key: &K) -> Option<&V> {
        self.values.get(key).map(|(_, value)| value)
    }

    /// A value that is used now.
    pub(crate) fn touch(&mut self, key: &K) -> Option<&mut V> {
        if !self.values.contains_key(key) {
            return None;
        }
        let stamp = self.stamp(*key);
        let (used, value) = self.values.get_mut(key)?;
        *used = stamp;
        Some(value)
    }

    /// A value, to be changed; that isn't a use.
    pub(crate) fn look_mut(&mut self, key: &K) -> Option<&mut V> {
        self.values.get_mut(key).map(|(_, value)| value)
    }

    /// A value that is used now, made if there is none.
    pub(crate) fn entry(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        self.make_room(&key);
        let stamp = self.stamp(key);
        let (used, value) = self.values.entry(key).or_insert_with(|| (stamp, new()));
        *used = stamp;
        value
    }

    /// Puts a value in, in the place of one of the same key, or else of the one that wasn't used
    /// for longest if there is no room; that one is given back.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        let forgotten = self.make_room(&key);
        let stamp = self.stamp(key);
        self.values.insert(key, (stamp, value));
        forgotten
    }

    /// Takes a value out.
    pub(crate) fn remove(&mut self, key: &K) {
        self.values.remove(key);
    }

    fn stamp(&mut self, key: K) -> u64 {
        if self.used.len() >= 2 * self.most {
            let values = &self.values;
            self.used.retain(|(stamp, key)| values.get(key).is_some_and(|(used, _)| used == stamp));
        }
        self.clock += 1;
        self.used.push_back((self.clock, key));
        self.clock
    }

    /// Forgets one if there is no room for a key.
    fn make_room(&mut self, key: &K) -> Option<(K, V)> {
        // A map that grows keeps everybody waiting.
        if self.values.capacity() == 0 {
            self.values.reserve(self.most);
        }
        let is_full = self.values.len() >= self.most && !self.values.contains_key(key);
        if is_full { self.forget_one() } else { None }
    }

    fn forget_one(&mut self) -> Option<(K, V)> {
        while let Some((stamp, key)) = self.used.pop_front() {
            if self.values.get(&key).is_some_and(|(used, _)| *used == stamp) {
                self.forgotten += 1;
                return self.values.remove(&key).map(|(_, value)| (key, value));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let mut recent = Recent::new(2);
        recent.insert(1, 'a');
        recent.insert(2, 'b');
        assert_eq!(recent.touch(&1), Some(&mut 'a'));
        assert_eq!(recent.insert(3, 'c'), Some((2, 'b')));
        assert_eq!(
            (recent.look(&1), recent.look(&2), recent.look(&3)),
            (Some(&'a'), None, Some(&'c'))
        );
        assert_eq!(recent.insert(3, 'd'), None);
        assert_eq!((recent.len(), recent.forgotten()), (2, 1));
    }

    proptest! {
        #[test]
        fn it_is_what_a_list_in_the_order_of_use_is(
            steps in proptest::collection::vec((0..9_u8, 0..5_u8), 0..200),
        ) {
            let (mut recent, mut list) = (Recent::new(4), Vec::<u8>::new());
            for (key, step) in steps {
                if step == 0 {
                    recent.remove(&key);
                    list.retain(|other| *other != key);
                    continue;
                }
                let (known, insert) = (list.contains(&key), step < 3);
                if insert {
                    recent.insert(key, key);
                } else {
                    prop_assert_eq!(recent.touch(&key).copied(), known.then_some(key));
                }
                if insert || known {
                    list.retain(|other| *other != key);
                    list.push(key);
                }
                if list.len() > 4 {
                    list.remove(0);
                }
                prop_assert!((0..9).all(|key| recent.look(&key).is_some() == list.contains(&key)));
                prop_assert!(recent.used.len() <= 8 && recent.len() <= 4);
            }
        }
    }
}
