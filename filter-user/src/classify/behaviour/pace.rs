//! How regularly a client comes.

/// Intervals between what a client does.
///
/// *Shape*: 24 bytes. *Units*: 16ths of a millisecond.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    last_ms: u64,
    mean: u32,
    deviation: u32,
    intervals: u32,
}

impl Pace {
    /// Takes in a moment.
    pub fn handle(&mut self, now_ms: u64) {
        let last_ms = self.last_ms;
        self.last_ms = now_ms.max(last_ms);
        let Some(interval_ms) = now_ms.checked_sub(last_ms).filter(|_| last_ms != 0) else {
            return;
        };
        let interval = u32::try_from(interval_ms.saturating_mul(16)).unwrap_or(u32::MAX);
        if self.intervals == 0 {
            self.mean = interval;
        }
        let off = interval.abs_diff(self.mean);
        self.mean = towards(self.mean, interval);
        self.deviation = towards(self.deviation, off);
        self.intervals = self.intervals.saturating_add(1);
    }

    /// The interval, if a timer seems to keep it.
    ///
    /// *Units*: milliseconds.
    #[must_use]
    pub const fn regular_ms(&self) -> Option<u32> {
        let is_timed = self.intervals >= ENOUGH && self.mean >= SLOW;
        if is_timed && self.deviation <= self.mean / 8 { Some(self.mean / 16) } else { None }
    }
}

/// An eighth of the way: the last dozen or so count.
const fn towards(from: u32, to: u32) -> u32 {
    from - from / 8 + to / 8
}

const ENOUGH: u32 = 20;

/// Faster ones follow each other without a timer.
const SLOW: u32 = 16 * 900;

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(intervals_ms: impl Iterator<Item = u64>) -> Pace {
        let mut pace = Pace::default();
        let mut now_ms = 1;
        for interval_ms in intervals_ms {
            now_ms += interval_ms;
            pace.handle(now_ms);
        }
        pace
    }

    #[test]
    fn a_timer_is_regular_also_with_some_jitter() {
        let jitter = [0, 300, 150, 70, 220];
        let timed = pace((0..40).map(|i| 10_000 + jitter[i % 5]));
        assert!(timed.regular_ms().is_some_and(|ms| (9_900..10_400).contains(&ms)));
    }

    #[test]
    fn people_and_bursts_are_not() {
        assert_eq!(pace((0..40).map(|i| [200, 9_000, 40_000, 3_000][i % 4])).regular_ms(), None);
        assert_eq!(pace((0..40).map(|_| 20)).regular_ms(), None);
        assert_eq!(pace((0..10).map(|_| 10_000)).regular_ms(), None);
    }
}
