//! The zone of a log whose times have none.

/// How long a zone is believed in that no line shows any more: with the end of summer time it is
/// another one.
const MEMORY_MS: u64 = 3_600_000;

/// How far the server's clock may go ahead of this one.
const AHEAD_MS: i64 = 60_000;

/// Time zones are whole quarters of an hour.
const QUARTER_MS: i64 = 15 * 60 * 1000;

/// No zone is further from UTC.
const FURTHEST_MS: u64 = 15 * 3_600_000;

/// The zone of a log whose times have none, as its lines show it.
///
/// A line isn't read before it is written, so each shows the least that its zone can be ahead of
/// UTC, and one that is read soon shows the zone itself. Of the last one or two hours the greatest
/// counts: lines that are read late, or that tell when a long request began, change nothing.
#[derive(Debug, Default)]
pub struct Zone {
    /// What the lines of this hour show, in milliseconds.
    least: Option<i64>,
    /// Those of the hour before.
    before: Option<i64>,
    since_unix_ms: u64,
}

impl Zone {
    /// A local time that is read now, in milliseconds of UTC.
    pub(super) fn utc_ms(&mut self, local_ms: u64, now_unix_ms: u64) -> Option<u64> {
        let local_ms = i64::try_from(local_ms).ok()?;
        let now_ms = i64::try_from(now_unix_ms).ok()?;
        // A clock that was set back begins anew as well.
        if now_unix_ms.wrapping_sub(self.since_unix_ms) >= MEMORY_MS {
            (self.before, self.since_unix_ms) = (self.least.take(), now_unix_ms);
        }
        let ahead_ms = local_ms - now_ms;
        // What is further off is a line of another day.
        if ahead_ms.unsigned_abs() <= FURTHEST_MS {
            self.least = self.least.max(Some(least_ms(ahead_ms)));
        }
        let zone_ms = self.least.max(self.before).unwrap_or(0);
        u64::try_from(local_ms.checked_sub(zone_ms)?).ok()
    }
}

/// The zone that is least ahead of UTC, of those in which it isn't as late yet.
const fn least_ms(ahead_ms: i64) -> i64 {
    (ahead_ms - AHEAD_MS + QUARTER_MS - 1).div_euclid(QUARTER_MS) * QUARTER_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR_MS: u64 = 3_600_000;
    const NOW: u64 = 1_795_380_619_123;

    #[test]
    fn a_late_line_has_the_zone_of_a_timely_one() {
        let mut zone = Zone::default();
        let local = NOW + HOUR_MS;
        assert_eq!(zone.utc_ms(local, NOW + 20), Some(NOW));
        for late_ms in [0, 10 * 60_000, 50 * 60_000, 30 * HOUR_MS] {
            assert_eq!(zone.utc_ms(local - late_ms, NOW + 40), Some(NOW - late_ms));
        }
    }

    #[test]
    fn the_first_line_may_be_some_minutes_late_or_early() {
        for ahead in [0, 15 * 60_000, 14 * HOUR_MS] {
            for late_ms in [0, 1000, 400_000, 13 * 60_000] {
                let read = Zone::default().utc_ms(NOW + ahead, NOW + late_ms);
                assert_eq!(read, Some(NOW), "{ahead} {late_ms}");
            }
            assert_eq!(Zone::default().utc_ms(NOW + ahead, NOW - 50_000), Some(NOW));
        }
        let behind = Zone::default().utc_ms(NOW - 12 * HOUR_MS, NOW + 1000);
        assert_eq!(behind, Some(NOW));
    }

    #[test]
    fn a_line_of_another_day_is_taken_for_utc() {
        let old = NOW - 48 * HOUR_MS;
        assert_eq!(Zone::default().utc_ms(old, NOW), Some(old));
    }

    #[test]
    fn summer_time_begins_at_once_and_ends_within_two_hours() {
        let mut zone = Zone::default();
        assert_eq!(zone.utc_ms(NOW, NOW), Some(NOW));
        assert_eq!(zone.utc_ms(NOW + HOUR_MS, NOW), Some(NOW));
        let later = NOW + HOUR_MS;
        assert_eq!(zone.utc_ms(later, later), Some(later - HOUR_MS), "it isn't noticed yet");
        assert_eq!(zone.utc_ms(later + HOUR_MS, later + HOUR_MS), Some(later + HOUR_MS));
    }

    proptest! {
        #[test]
        fn once_a_line_came_in_time_all_have_theirs(
            quarters in -48_i64..56,
            late_ms in proptest::collection::vec(0..10 * HOUR_MS, 0..20),
        ) {
            let (mut zone, ahead_ms) = (Zone::default(), quarters * QUARTER_MS);
            let local = |unix_ms: u64| unix_ms.checked_add_signed(ahead_ms).unwrap();
            prop_assert_eq!(zone.utc_ms(local(NOW), NOW), Some(NOW));
            for late_ms in late_ms {
                prop_assert_eq!(zone.utc_ms(local(NOW - late_ms), NOW), Some(NOW - late_ms));
            }
        }

        #[test]
        fn any_times_are_fit_to_be_tried(times in proptest::collection::vec(any::<[u64; 2]>(), 0..5)) {
            let mut zone = Zone::default();
            for [local, now] in times {
                let _ = zone.utc_ms(local, now);
            }
        }
    }
}
