//! When an entry ends.

use super::problem::{Problem, shown};
use humantime::{parse_duration, parse_rfc3339_weak};
use std::time::UNIX_EPOCH;

/// The last second that RFC 3339 can write: the end of the year 9999.
pub(super) const LAST_UNIX_S: u64 = 253_402_300_799;

/// Reads a moment as RFC 3339 writes it, in UTC.
///
/// *Units*: seconds since 1970.
pub(super) fn moment(text: &str) -> Result<u64, Problem> {
    let bad = || Problem::NoTime(shown(text));
    let time = parse_rfc3339_weak(text).map_err(|_| bad())?;
    Ok(time.duration_since(UNIX_EPOCH).map_err(|_| bad())?.as_secs())
}

/// Reads a moment, or a span from now such as `4h` or `1h 30m`.
///
/// *Units*: seconds since 1970.
pub(super) fn moment_or_span(text: &str, now_unix_s: u64) -> Result<u64, Problem> {
    match parse_duration(text) {
        Ok(span) => after(now_unix_s, span.as_secs()),
        Err(_) => moment(text),
    }
}

/// The moment some seconds from now.
pub(super) fn after(now_unix_s: u64, span_s: u64) -> Result<u64, Problem> {
    at(now_unix_s.saturating_add(span_s))
}

/// A moment that the calendar has.
pub(super) fn at(unix_s: u64) -> Result<u64, Problem> {
    if unix_s > LAST_UNIX_S { Err(Problem::TooLate) } else { Ok(unix_s) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_utc() {
        assert_eq!(moment("2026-12-01T00:00:00Z"), Ok(1_796_083_200));
        assert_eq!(moment("2026-12-01T00:00:00+00:00"), Ok(1_796_083_200));
        assert_eq!(moment("2026-12-01 00:00:00"), Ok(1_796_083_200));
        assert_eq!(moment("1970-01-01T00:00:00Z"), Ok(0));
        for bad in ["", "2026-12-01", "2026-12-01T00:00:00+02:00", "2026-13-01T00:00:00Z", "4h"] {
            let error = moment(bad).unwrap_err().to_string();
            assert!(error.contains("in UTC"), "{bad:?} gave {error}");
        }
    }

    #[test]
    fn spans_count_from_now() {
        assert_eq!(moment_or_span("4h", 1000), Ok(15_400));
        assert_eq!(moment_or_span("1h 30m", 0), Ok(5400));
        assert_eq!(moment_or_span("2026-12-01T00:00:00Z", 5), Ok(1_796_083_200));
        assert!(moment_or_span("soon", 0).is_err());
    }

    #[test]
    fn times_beyond_the_calendar_are_refused() {
        assert_eq!(at(LAST_UNIX_S), Ok(LAST_UNIX_S));
        assert_eq!(at(LAST_UNIX_S + 1), Err(Problem::TooLate));
        assert_eq!(after(u64::MAX, u64::MAX), Err(Problem::TooLate));
        assert_eq!(moment_or_span("9000years", 1_800_000_000), Err(Problem::TooLate));
    }
}
