//! Syslog headers in front of lines, in datagrams and in files that a syslog daemon wrote.
//!
//! A line of an access log begins with an address or a brace, and a header never does, so it
//! needs no setting. The begin of a line is the server's: no client can make it a header.

use super::LineError;
use super::time::{self, MONTHS};

/// A line without its header, if it has one.
///
/// *Errors*: [`LineError::Syslog`] for a header that doesn't go on as it begins.
///
/// *Source*: RFC 3164 section 4.1, RFC 5424 section 6; rsyslog's file formats.
pub(super) fn strip(line: &[u8]) -> Result<&[u8], LineError> {
    let (prioritised, rest) = priority(line)?;
    let rest = trimmed(rest);
    if prioritised && let Some(rest) = rest.strip_prefix(b"1 ") {
        return structured(rest);
    }
    match timestamp(rest) {
        Some(rest) => tagged(rest),
        None => Ok(rest),
    }
}

/// Takes `<134>` off.
fn priority(line: &[u8]) -> Result<(bool, &[u8]), LineError> {
    let Some(rest) = line.strip_prefix(b"<") else {
        return Ok((false, line));
    };
    let end = rest.iter().take(4).position(|byte| *byte == b'>').ok_or(LineError::Syslog)?;
    if end == 0 || !rest[..end].iter().all(u8::is_ascii_digit) {
        return Err(LineError::Syslog);
    }
    Ok((true, &rest[end + 1..]))
}

/// Takes `Nov 22 20:50:19 ` or `2026-11-22T20:50:19.123456+00:00 ` off, if there is one.
fn timestamp(line: &[u8]) -> Option<&[u8]> {
    if let Some((stamp, rest)) = line.split_at_checked(16)
        && MONTHS.contains(&&stamp[..3])
        && stamp[3] == b' '
        && stamp[9] == b':'
        && stamp[15] == b' '
    {
        return Some(rest);
    }
    let (stamp, rest) = word(line)?;
    (stamp.get(4) == Some(&b'-') && time::iso(stamp).is_ok()).then_some(rest)
}

/// Takes `nginx: ` or `host haproxy[123]: ` off.
fn tagged(line: &[u8]) -> Result<&[u8], LineError> {
    let (first, rest) = word(line).ok_or(LineError::Syslog)?;
    if first.ends_with(b":") {
        return Ok(trimmed(rest));
    }
    let (second, rest) = word(rest).ok_or(LineError::Syslog)?;
    if second.ends_with(b":") { Ok(trimmed(rest)) } else { Err(LineError::Syslog) }
}

/// Takes the rest of RFC 5424's header off: time, host, program, process, message, and data.
fn structured(line: &[u8]) -> Result<&[u8], LineError> {
    let mut rest = line;
    for _ in 0..5 {
        (_, rest) = word(rest).ok_or(LineError::Syslog)?;
    }
    let rest = match rest.strip_prefix(b"-") {
        Some(rest) => rest,
        None => elements(rest)?,
    };
    let message = rest.strip_prefix(b" ").ok_or(LineError::Syslog)?;
    Ok(trimmed(message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message)))
}

/// Takes `[name key="value"]` off, as often as it comes.
fn elements(line: &[u8]) -> Result<&[u8], LineError> {
    let mut rest = line;
    while let Some(inside) = rest.strip_prefix(b"[") {
        rest = &inside[element(inside).ok_or(LineError::Syslog)? + 1..];
    }
    if rest.len() == line.len() { Err(LineError::Syslog) } else { Ok(rest) }
}

/// Where an element ends.
fn element(inside: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    inside.iter().position(|byte| {
        let ends = *byte == b']' && !quoted;
        quoted ^= *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && quoted && !escaped;
        ends
    })
}

fn word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|byte| *byte == b' ')?;
    Some((&line[..at], &line[at + 1..]))
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_kinds_are_taken_off() {
        for header in [
            "",
            "<190>",
            "<190>Nov 22 20:50:19 edge nginx: ",
            "<190>Nov  2 20:50:19 nginx: ",
            "<134>Nov 22 20:50:19 haproxy[14389]: ",
            "Nov 22 20:50:19 edge haproxy[14389]: ",
            "2026-11-22T20:50:19.123456+00:00 edge haproxy[14389]: ",
            "<134>1 2026-11-22T20:50:19.123456+00:00 edge haproxy 14389 - - ",
            "<134>1 2026-11-22T20:50:19Z - - - - [a b=\"]\\\"]\" c=\"d\"][e] \u{feff}",
        ] {
            for message in ["192.0.2.1:4711 [x] y: z", "{\"a\": 1}", "2001:db8::1 - - [", "::1 - x"]
            {
                let line = format!("{header}{message}");
                assert_eq!(strip(line.as_bytes()), Ok(message.as_bytes()), "{line}");
            }
        }
    }

    #[test]
    fn half_a_header_is_an_error() {
        for line in ["<190", "<>x", "<19a>x", "<12345>x", "<1>1 a b c", "<1>1 a b c d e [x"] {
            assert_eq!(strip(line.as_bytes()), Err(LineError::Syslog), "{line}");
        }
        assert_eq!(strip(b"Nov 22 20:50:19 edge no tag"), Err(LineError::Syslog));
    }
}
