//! Days, as the knowledge writes them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// A day, counted from 1 January 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub u32);

impl Day {
    /// The day of a moment.
    ///
    /// *Units*: `seconds` since 1970, as clocks count them.
    #[must_use]
    pub fn of_seconds(seconds: u64) -> Self {
        Self(u32::try_from(seconds / 86_400).unwrap_or(u32::MAX))
    }

    /// How many days it lies behind another; zero if it doesn't.
    #[must_use]
    pub const fn days_before(self, later: Self) -> u32 {
        later.0.saturating_sub(self.0)
    }

    /// Reads `2026-11-22`; `None` if that is no day from 1970 on.
    ///
    /// *Source*: the count of days in the proleptic Gregorian calendar, years from March on.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-').map(str::parse::<u32>);
        let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let february = if is_leap { 29 } else { 28 };
        let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let index = usize::try_from(month).ok()?.checked_sub(1)?;
        let is_day = (1..=*lengths.get(index)?).contains(&day);
        if !is_day || !(1970..=9999).contains(&year) {
            return None;
        }
        let earlier: u32 = lengths.iter().take(index).sum();
        let past = year - 1;
        let leap_days = past / 4 - past / 100 + past / 400;
        Some(Self((past * 365 + leap_days + earlier + day).checked_sub(DAYS_BEFORE_1970)?))
    }
}

impl fmt::Display for Day {
    /// *Source*: the calendar of [`Day::parse`], backwards; 400 years are 146,097 days, and
    /// months from March on take 153 days in five.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = u64::from(self.0) + DAYS_TO_MARCH_OF_0;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let (month, of_month) = ((5 * day + 2) / 153, (day * 5 + 2) % 153 / 5 + 1);
        let (year, month) = (era * 400 + year + month / 10, (month + 2) % 12 + 1);
        write!(out, "{year:04}-{month:02}-{of_month:02}")
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = || de::Error::custom(format!("{text} is no day such as 2026-11-22"));
        Self::parse(&text).ok_or_else(expected)
    }
}

/// From 31 December of the year 0 to 1 January 1970.
const DAYS_BEFORE_1970: u32 = 719_163;

/// From 1 March of the year 0, where leap days come last, to 1 January 1970.
const DAYS_TO_MARCH_OF_0: u64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_1970_over_leap_years() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1970-12-31", 364),
            ("2000-02-29", 11_016),
            ("2000-03-01", 11_017),
            ("2026-11-22", 20_779),
        ] {
            assert_eq!(Day::parse(text), Some(Day(days)), "{text}");
            assert_eq!(Day(days).to_string(), text);
        }
        assert_eq!(Day::of_seconds(20_779 * 86_400 + 5), Day(20_779));
    }

    #[test]
    fn a_day_reads_back_as_it_is_shown() {
        for days in (0..200_000).chain([2_932_896]) {
            assert_eq!(Day::parse(&Day(days).to_string()), Some(Day(days)), "{days}");
        }
        assert!(Day(u32::MAX).to_string().starts_with("1176"));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in ["", "2026-13-01", "2026-02-29", "2026-00-10", "1969-12-31", "2026-1-1-1", "x"]
        {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }
}
