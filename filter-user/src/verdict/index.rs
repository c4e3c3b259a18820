//! The index of verdicts: what the program's buckets have to say.

use filter_common::abi::width::{VerdictKey, Width};
use filter_common::verdict;
use std::collections::{HashMap, HashSet};

/// Which verdicts there are, counted by bucket and width.
///
/// *Concurrency*: whoever owns it writes each [`Word`] where the program reads it: before
/// the verdict on the way in, after it on the way out. So a packet never misses a verdict.
#[derive(Debug, Default)]
pub struct VerdictIndex {
    secret: u64,
    keys: HashSet<VerdictKey>,
    counts: HashMap<u32, [u32; Width::ALL.len()]>,
}

/// An element of the index that has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Which.
    pub at: u32,
    /// Eight buckets, the first in the lowest byte.
    pub buckets: u64,
}

impl VerdictIndex {
    /// An empty index, keyed with the host's secret.
    #[must_use]
    pub fn new(secret: u64) -> Self {
        Self { secret, ..Self::default() }
    }

    /// Whether no verdict is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a verdict is in it.
    #[must_use]
    pub fn holds(&self, key: &VerdictKey) -> bool {
        self.keys.contains(key)
    }

    /// Counts a verdict; the element to write before the verdict is, if any.
    pub fn add(&mut self, key: VerdictKey) -> Option<Word> {
        if !self.keys.insert(key) {
            return None;
        }
        let bucket = self.bucket(&key);
        let count = self.counts.entry(bucket).or_default().get_mut(number_of(&key)?)?;
        *count += 1;
        (*count == 1).then(|| self.word(bucket / 8))
    }

    /// Counts a verdict no more; the element to write once the verdict is gone, if any.
    pub fn remove(&mut self, key: &VerdictKey) -> Option<Word> {
        if !self.keys.remove(key) {
            return None;
        }
        let bucket = self.bucket(key);
        let counts = self.counts.get_mut(&bucket)?;
        let count = counts.get_mut(number_of(key)?)?;
        *count -= 1;
        let was_last = *count == 0;
        if counts.iter().all(|count| *count == 0) {
            self.counts.remove(&bucket);
        }
        was_last.then(|| self.word(bucket / 8))
    }

    /// The widths of the verdicts in a bucket.
    #[must_use]
    pub fn widths(&self, bucket: u32) -> u64 {
        let counts = self.counts.get(&bucket).copied().unwrap_or_default();
        let used = Width::ALL.iter().zip(counts).filter(|(_, count)| *count > 0);
        used.fold(0, |widths, (width, _)| widths | width.bit)
    }

    /// An element as it has to be.
    #[must_use]
    pub fn word(&self, at: u32) -> Word {
        let byte = |i: u32| self.widths(at * 8 + i) << (i * 8);
        Word { at, buckets: (0..8).map(byte).fold(0, |word, byte| word | byte) }
    }

    fn bucket(&self, key: &VerdictKey) -> u32 {
        verdict::bucket(self.secret, &key.address())
    }
}

/// Which of the widths a key has; `None` for a length that isn't one.
fn number_of(key: &VerdictKey) -> Option<usize> {
    Width::ALL.iter().position(|width| width.len == key.len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{address_of, key_of};
    use proptest::prelude::*;
    use std::net::IpAddr;

    fn key(text: &str) -> VerdictKey {
        key_of(&text.parse().unwrap()).unwrap()
    }

    fn bits(index: &VerdictIndex, text: &str) -> u64 {
        let word = index.word(index.bucket(&key(text)) / 8);
        word.buckets >> (index.bucket(&key(text)) % 8 * 8) & 0xff
    }

    #[test]
    fn a_bit_is_set_by_the_first_and_cleared_by_the_last() {
        let mut index = VerdictIndex::new(7);
        let (one, two) = (key("192.0.2.1/32"), key("192.0.2.2/32"));
        assert!(index.add(one).is_some() && index.add(two).is_none());
        assert_eq!(bits(&index, "192.0.2.0/24"), Width::HOST.bit);
        assert!(index.add(two).is_none(), "one that replaces another counts once");
        assert!(index.remove(&one).is_none());
        assert_eq!(bits(&index, "192.0.2.0/24"), Width::HOST.bit);
        assert_eq!(index.remove(&two).map(|word| word.buckets), Some(0));
        assert!(index.remove(&two).is_none() && index.is_empty());
    }

    #[test]
    fn each_width_has_a_bit_of_its_own_in_the_bucket_of_the_widest() {
        let mut index = VerdictIndex::new(7);
        for prefix in ["2001:db8:1::/48", "2001:db8:1:2::/64", "2001:db8:1:2::/128"] {
            index.add(key(prefix));
        }
        let bits = bits(&index, "2001:db8:1:ff00::/56");
        assert_eq!(bits, Width::HOST.bit | Width::V6_64.bit | Width::V6_48.bit);
    }
    /// Few keys, so that they meet in buckets.
    fn some_key() -> impl Strategy<Value = VerdictKey> {
        let addresses = ["192.0.2.0", "192.0.2.9", "192.0.3.0", "2001:db8::", "2001:db8:0:1::9"];
        let address =
            prop::sample::select(addresses.map(|text| text.parse::<IpAddr>().unwrap()).to_vec());
        (address, 0..Width::ALL.len()).prop_filter_map("of the family", |(address, number)| {
            let (address, width) = (address_of(address), Width::ALL[number]);
            (width.bit & Width::bits_of(&address) != 0).then(|| width.key(&address))
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_what_the_remaining_verdicts_need(
            steps in prop::collection::vec((any::<bool>(), some_key()), 0..60),
        ) {
            let mut index = VerdictIndex::new(7);
            let mut written: HashMap<u32, u64> = HashMap::new();
            let mut held = HashSet::new();
            for (add, key) in steps {
                let word = if add { index.add(key) } else { index.remove(&key) };
                written.extend(word.map(|word| (word.at, word.buckets)));
                let _ = if add { held.insert(key) } else { held.remove(&key) };
            }
            let mut fresh = VerdictIndex::new(7);
            for key in &held {
                let _ = fresh.add(*key);
            }
            for (at, buckets) in written {
                prop_assert_eq!(fresh.word(at).buckets, buckets);
            }
            prop_assert_eq!(fresh.counts, index.counts);
        }
    }
}
