//! Counters that halve in an hour.

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Hellos.
    Handshakes,
    /// Hellos that ask for an address, or for nobody.
    Nameless,
    /// Requests.
    Requests,
    /// Requests that were answered with 2xx or 3xx.
    Fine,
    /// Requests for what doesn't exist.
    Missing,
    /// Attempts to log in.
    Tries,
    /// Those that failed.
    Failures,
    /// Those that didn't.
    Successes,
    /// Requests of a claimed browser whose hello is known.
    Claims,
    /// Those whose hello is another program's.
    AtOdds,
    /// Requests of a claimed browser whose `Accept-Language` would be logged.
    Speaking,
    /// Those without one.
    Mute,
    /// Requests of a claimed Chromium whose client hints would be logged.
    Hinting,
    /// Those without any.
    Unhinted,
    /// Requests of a claimed browser that names its system, where the connection's is known.
    Systems,
    /// Those whose connection another system opened.
    OtherSystem,
    /// Numbers in paths and accounts.
    Numbers,
    /// Those that follow the one before.
    Steps,
}

const COUNTS: usize = Count::Steps as usize + 1;

/// Counters of one client or group.
///
/// *Shape*: some 80 bytes. *Units*: 256ths, so that a few don't vanish by rounding; at 16
/// million a counter stands still.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    values: [u32; COUNTS],
    step: u32,
}

impl Counts {
    /// Lets time pass; time that goes back is ignored.
    pub fn age(&mut self, now_ms: u64) {
        let step = u32::try_from(now_ms / STEP_MS).unwrap_or(u32::MAX);
        let passed = step.saturating_sub(self.step);
        self.step = self.step.max(step);
        if passed == 0 {
            return;
        }
        let (hours, steps) = (passed / STEPS_TO_HALF, passed % STEPS_TO_HALF);
        for value in &mut self.values {
            let halved = value.checked_shr(hours).unwrap_or(0);
            *value = (0..steps).fold(halved, |value, _| one_step_on(value));
        }
    }

    /// Counts one.
    pub const fn add(&mut self, count: Count) {
        let value = &mut self.values[count as usize];
        *value = value.saturating_add(ONE);
    }

    /// How many there are, rounded.
    #[must_use]
    pub const fn of(&self, count: Count) -> u32 {
        self.values[count as usize].saturating_add(ONE / 2) / ONE
    }

    /// Whether there are at least so many, and they make up that share of a whole.
    #[must_use]
    pub fn reaches(&self, part: Count, least: u32, percent: u32, whole: Count) -> bool {
        let (part, whole) = (self.of(part), self.of(whole));
        part >= least && u64::from(part) * 100 >= u64::from(whole) * u64::from(percent)
    }

    /// Forgets what was counted.
    pub const fn clear(&mut self) {
        self.values = [0; COUNTS];
    }
}

/// *Source*: 2^(-1/16), of 65,536.
fn one_step_on(value: u32) -> u32 {
    u32::try_from((u64::from(value) * 62_757) >> 16).unwrap_or(value)
}

const ONE: u32 = 256;
const STEPS_TO_HALF: u32 = 16;
const STEP_MS: u64 = 3_600_000 / STEPS_TO_HALF as u64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_halve_in_an_hour_however_often_they_are_looked_at() {
        let (mut often, mut once) = (Counts::default(), Counts::default());
        for counts in [&mut often, &mut once] {
            counts.age(STEP_MS);
            (0..1000).for_each(|_| counts.add(Count::Requests));
        }
        (0..=3600).for_each(|second| often.age(STEP_MS + second * 1000));
        once.age(STEP_MS + 3_600_000);
        assert_eq!(once.of(Count::Requests), 500);
        assert!((498..=501).contains(&often.of(Count::Requests)));
    }

    #[test]
    fn time_that_goes_back_or_far_ahead_breaks_nothing() {
        let mut counts = Counts::default();
        counts.age(10 * STEP_MS);
        counts.add(Count::Tries);
        counts.age(0);
        assert_eq!(counts.of(Count::Tries), 1);
        counts.age(u64::MAX);
        assert_eq!(counts.of(Count::Tries), 0);
    }

    #[test]
    fn a_share_needs_both_number_and_percentage() {
        let mut counts = Counts::default();
        (0..10).for_each(|_| counts.add(Count::Tries));
        (0..9).for_each(|_| counts.add(Count::Failures));
        let reaches =
            |least, percent| counts.reaches(Count::Failures, least, percent, Count::Tries);
        assert!(reaches(9, 90));
        assert!(!reaches(10, 90) && !reaches(9, 91));
    }
}
