//! The ways in which servers write a moment.
//!
//! *Units*: all give milliseconds since 1970.

use super::scan::number;
use super::{LineError, Zone};
use std::time::Duration;

const TIME: &str = "the time";
const BAD: LineError = LineError::Bad(TIME);

/// `22/Nov/2026:20:50:19 +0100`, of nginx's `$time_local` and Apache's `%t`.
pub(super) fn common(text: &[u8]) -> Result<u64, LineError> {
    let (local, zone) = split(text, 20)?;
    let zone = zone.strip_prefix(b" ").ok_or(BAD)?;
    moved(common_local(local)?, zone_s(zone)?)
}

/// `22/Nov/2026:20:50:19.123`, of `HAProxy`'s `%tr`: local time, and which that is isn't said.
pub(super) fn common_in(zone: &mut Zone, text: &[u8], now_unix_ms: u64) -> Result<u64, LineError> {
    let (local, fraction) = split(text, 20)?;
    let milliseconds: u64 = number(fraction.strip_prefix(b".").ok_or(BAD)?, TIME)?;
    if milliseconds > 999 {
        return Err(BAD);
    }
    let local_ms = common_local(local)? * 1000 + milliseconds;
    zone.utc_ms(local_ms, now_unix_ms).ok_or(BAD)
}

/// `2026-11-22T20:50:19+01:00`, with `Z` and fractions of a second as well.
pub(super) fn iso(text: &[u8]) -> Result<u64, LineError> {
    let (local, rest) = split(text, 19)?;
    let [year, month, day] = fields(&local[..10], b'-')?;
    if local[10] != b'T' {
        return Err(BAD);
    }
    let days = days(year, month, day)?;
    let local_s = days * DAY_S + clock_s(&local[11..])?;
    let zone = rest.iter().position(|byte| b"Z+-".contains(byte)).ok_or(BAD)?;
    let (fraction, zone) = rest.split_at(zone);
    let zone_s = if zone == b"Z" { 0 } else { zone_s(zone)? };
    Ok(moved(local_s, zone_s)? + fraction_ms(fraction)?)
}

/// `1795380619.123`, of nginx's `$msec`.
pub(super) fn seconds(text: &[u8]) -> Result<u64, LineError> {
    let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    let (whole, fraction) = text.split_at(point);
    let whole: u64 = number(whole, TIME)?;
    let milliseconds = whole.checked_mul(1000).ok_or(BAD)?;
    milliseconds.checked_add(fraction_ms(fraction)?).ok_or(BAD)
}

/// Seconds since 1970 as a floating-point number, of Caddy's `ts`.
pub(super) fn float(seconds: f64) -> Result<u64, LineError> {
    let since = Duration::try_from_secs_f64(seconds).map_err(|_| BAD)?;
    u64::try_from(since.as_millis()).map_err(|_| BAD)
}

/// `.123456` in milliseconds; nothing is none.
fn fraction_ms(text: &[u8]) -> Result<u64, LineError> {
    let Some(digits) = text.strip_prefix(b".") else {
        return if text.is_empty() { Ok(0) } else { Err(BAD) };
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(BAD);
    }
    let three = digits.iter().chain(b"000").take(3);
    Ok(three.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// `22/Nov/2026:20:50:19` in seconds, as if it were UTC.
fn common_local(text: &[u8]) -> Result<u64, LineError> {
    let month = MONTHS.iter().position(|name| text[3..6] == **name).ok_or(BAD)?;
    if text[2] != b'/' || text[6] != b'/' || text[11] != b':' {
        return Err(BAD);
    }
    let month = u64::try_from(month).map_err(|_| BAD)? + 1;
    let days = days(number(&text[7..11], TIME)?, month, number(&text[..2], TIME)?)?;
    Ok(days * DAY_S + clock_s(&text[12..])?)
}

/// `20:50:19` in seconds.
fn clock_s(text: &[u8]) -> Result<u64, LineError> {
    let [hours, minutes, seconds] = fields(text, b':')?;
    // A leap second is written as 60.
    if hours > 23 || minutes > 59 || seconds > 60 {
        return Err(BAD);
    }
    Ok((hours * 60 + minutes) * 60 + seconds)
}

/// `+0100` or `+01:00` in seconds.
fn zone_s(text: &[u8]) -> Result<i64, LineError> {
    let (sign, digits) = text.split_first().ok_or(BAD)?;
    let (hours, minutes) = match digits {
        [a, b, b':', c, d] | [a, b, c, d] => ([*a, *b], [*c, *d]),
        _ => return Err(BAD),
    };
    let (hours, minutes): (i64, i64) = (number(&hours, TIME)?, number(&minutes, TIME)?);
    if hours > 15 || minutes > 59 {
        return Err(BAD);
    }
    let seconds = (hours * 60 + minutes) * 60;
    match sign {
        b'+' => Ok(seconds),
        b'-' => Ok(-seconds),
        _ => Err(BAD),
    }
}

/// A moment of a zone, in milliseconds of UTC.
fn moved(local_s: u64, zone_s: i64) -> Result<u64, LineError> {
    let utc_s = local_s.checked_add_signed(-zone_s).ok_or(BAD)?;
    utc_s.checked_mul(1000).ok_or(BAD)
}

/// Days from 1970 to a day.
///
/// *Source*: Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
fn days(year: u64, month: u64, day: u64) -> Result<u64, LineError> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return Err(BAD);
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).checked_sub(719_468).ok_or(BAD)
}

/// Three numbers between separators.
fn fields(text: &[u8], separator: u8) -> Result<[u64; 3], LineError> {
    let mut parts = text.split(|byte| *byte == separator);
    let mut next = || number(parts.next().unwrap_or_default(), TIME);
    let fields = [next()?, next()?, next()?];
    if parts.next().is_some() { Err(BAD) } else { Ok(fields) }
}

fn split(text: &[u8], at: usize) -> Result<(&[u8], &[u8]), LineError> {
    text.split_at_checked(at).ok_or(BAD)
}

const DAY_S: u64 = 86_400;

/// Names of the months, as servers write them in each language.
pub(super) const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// 22 November 2026, 20:50:19 UTC.
    const MOMENT: u64 = 1_795_380_619_000;

    #[test]
    fn all_ways_to_write_a_moment_say_the_same() {
        assert_eq!(common(b"22/Nov/2026:20:50:19 +0000"), Ok(MOMENT));
        assert_eq!(common(b"23/Nov/2026:02:20:19 +0530"), Ok(MOMENT));
        assert_eq!(common(b"22/Nov/2026:12:50:19 -0800"), Ok(MOMENT));
        assert_eq!(iso(b"2026-11-22T20:50:19+00:00"), Ok(MOMENT));
        assert_eq!(iso(b"2026-11-22T21:50:19.123456+01:00"), Ok(MOMENT + 123));
        assert_eq!(iso(b"2026-11-22T20:50:19.5Z"), Ok(MOMENT + 500));
        assert_eq!(seconds(b"1795380619.123"), Ok(MOMENT + 123));
        assert_eq!(float(1_795_380_619.5), Ok(MOMENT + 500));
        assert_eq!(iso(b"1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(iso(b"2024-02-29T00:00:00Z"), Ok(1_709_164_800_000));
    }

    #[test]
    fn local_time_is_that_of_the_log() {
        let mut zone = Zone::default();
        for late_ms in [0, 1000, 3_000_000] {
            let read = common_in(&mut zone, b"23/Nov/2026:02:35:19.123", MOMENT + late_ms);
            assert_eq!(read, Ok(MOMENT + 123), "{late_ms}");
        }
        assert_eq!(common_in(&mut zone, b"22/Nov/2026:20:50:19.1000", MOMENT), Err(BAD));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for bad in [
            "",
            "22/Nov/2026:20:50:19",
            "22/Nov/2026:20:50:19 +00",
            "22/Nox/2026:20:50:19 +0000",
            "00/Nov/2026:20:50:19 +0000",
            "22/Nov/2026:24:50:19 +0000",
            "22/Nov/2026:20:50:19 +9900",
            "22/Nov/1969:20:50:19 +0000",
            "22:Nov:2026:20:50:19 +0000",
        ] {
            assert_eq!(common(bad.as_bytes()), Err(BAD), "{bad}");
        }
        for bad in [
            "",
            "2026-11-22",
            "2026-11-22T20:50:19",
            "2026-11-22 20:50:19Z",
            "2026-1-22T20:50:199Z",
        ] {
            assert_eq!(iso(bad.as_bytes()), Err(BAD), "{bad}");
        }
        for bad in ["", ".5", "-1", "1.x", "1e9", "99999999999999999999"] {
            assert_eq!(seconds(bad.as_bytes()), Err(BAD), "{bad}");
        }
        for bad in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(float(bad), Err(BAD), "{bad}");
        }
    }
}
