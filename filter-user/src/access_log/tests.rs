//! Lines of each server, and clients that try to forge them.

mod forge;
mod sample;

use super::*;
use proptest::prelude::*;

/// When the sample lines were written: 22 November 2026, 20:50:19 UTC.
const MOMENT: u64 = 1_795_380_619_000;

/// A good line of each format.
const GOOD: [(Format, &str); 5] = [
    (Format::Combined, sample::NGINX),
    (Format::NginxJson, sample::NGINX_JSON),
    (Format::Haproxy, sample::HAPROXY),
    (Format::CaddyJson, sample::CADDY),
    (Format::EnvoyJson, sample::ENVOY),
];

#[test]
fn a_line_that_was_cut_off_is_no_other_line() {
    for (format, line) in GOOD {
        let whole = format.parse(line.as_bytes(), MOMENT).unwrap();
        for end in 0..line.len() {
            let part = format.parse(&line.as_bytes()[..end], MOMENT);
            // Where nginx's own `combined` ends, the rest may be missing.
            let plain = format == Format::Combined && line[end..].starts_with(" 50123 ");
            assert_eq!(part.is_ok(), plain, "{}: {}", format.name(), &line[..end]);
            assert!(part.is_err() || whole.port.is_some());
        }
    }
}

#[test]
fn a_line_of_one_format_is_none_of_another() {
    for (format, line) in GOOD {
        for other in Format::ALL {
            let read = other.parse(line.as_bytes(), MOMENT);
            assert_eq!(read.is_ok(), other == format, "{} as {}", format.name(), other.name());
        }
    }
}

#[test]
fn an_error_says_what_is_wrong() {
    let error =
        |format: Format, line: &str| format.parse(line.as_bytes(), MOMENT).unwrap_err().to_string();
    let json = sample::NGINX_JSON;
    assert!(error(Format::NginxJson, &json.replace("msec", "time")).starts_with("msec is missing"));
    assert!(error(Format::NginxJson, &json.replace("\"50123\"", "\"x\"")).contains("remote_port"));
    let twice = json.replace('{', "{\"remote_addr\":\"192.0.2.9\",");
    assert!(error(Format::NginxJson, &twice).contains("twice"));
    assert!(error(Format::Combined, "hello").starts_with("the address is missing"));
    assert!(error(Format::Combined, "a\tb").contains("control byte"));
    assert!(
        error(Format::Haproxy, &sample::HAPROXY.replace(" - - ", " id=1 - ")).contains("cookie")
    );
    let two = sample::HAPROXY.replace("edge.test|", "");
    assert!(error(Format::Haproxy, &two).contains("Host, User-Agent, Accept-Language"));
}

#[test]
fn a_huge_line_is_refused_before_it_is_read() {
    let deep = "[".repeat(MAX_LINE - 1);
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_LINE));
    for format in Format::ALL {
        assert!(format.parse(deep.as_bytes(), MOMENT).is_err());
        assert_eq!(format.parse(long.as_bytes(), MOMENT), Err(LineError::TooLong));
    }
}

fn any_format() -> impl Strategy<Value = Format> {
    proptest::sample::select(Format::ALL.to_vec())
}

proptest! {
    #[test]
    fn any_bytes_are_a_request_or_an_error(
        format in any_format(),
        line in proptest::collection::vec(any::<u8>(), 0..200),
        now in any::<u64>(),
    ) {
        let _ = format.parse(&line, now);
    }

    #[test]
    fn a_good_line_with_some_bytes_changed_is_a_request_or_an_error(
        at in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        now in any::<u64>(),
    ) {
        let (format, line) = at.get(&GOOD);
        let mut line = line.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(line.len());
            line[at] = byte;
        }
        let _ = format.parse(&line, now);
    }
}
