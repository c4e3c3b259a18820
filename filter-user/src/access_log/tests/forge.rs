//! What clients send, escaped as each server escapes it, stays in its field.

use super::{Format, MOMENT};
use crate::access_log::{Header, Request};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt::Write;

/// Bytes that matter to a format, and any others.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![select(b"\"\\ []{}|#:,-x20n\t".to_vec()), any::<u8>(),];
    let forged = select(vec![
        br#"" 200 1 "-" "x" 1 "-" "-""#.to_vec(),
        br#"x [22/Nov/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "x""#.to_vec(),
        br#"","remote_addr":"198.51.100.1","x":""#.to_vec(),
        br#"|} "GET /forged HTTP/1.1""#.to_vec(),
        b"\n192.0.2.9 - - [".to_vec(),
        b"\\".to_vec(),
    ]);
    prop_oneof![vec(byte, 0..40), forged]
}

fn escape(bytes: &[u8], escaped: impl Fn(u8) -> Option<String>) -> Vec<u8> {
    let each = bytes.iter();
    each.flat_map(|byte| escaped(*byte).map_or_else(|| vec![*byte], String::into_bytes)).collect()
}

/// *Source*: nginx `ngx_http_log_escape`.
fn nginx(bytes: &[u8]) -> Vec<u8> {
    let special = |byte| !(0x20..=0x7e).contains(&byte) || byte == b'"' || byte == b'\\';
    escape(bytes, |byte| special(byte).then(|| format!("\\x{byte:02X}")))
}

/// *Source*: Apache `ap_escape_logitem`.
fn apache(bytes: &[u8]) -> Vec<u8> {
    escape(bytes, |byte| match byte {
        b'"' | b'\\' => Some(format!("\\{}", char::from(byte))),
        b'\n' => Some("\\n".into()),
        b'\t' => Some("\\t".into()),
        b' '..=b'~' => None,
        _ => Some(format!("\\x{byte:02x}")),
    })
}

/// *Source*: nginx `ngx_escape_json`.
fn json(bytes: &[u8]) -> Vec<u8> {
    escape(bytes, |byte| match byte {
        b'"' | b'\\' => Some(format!("\\{}", char::from(byte))),
        b'\n' => Some("\\n".into()),
        0..0x20 => Some(format!("\\u{byte:04X}")),
        _ => None,
    })
}

/// *Source*: `HAProxy`'s `hdr_encode_map` and `url_encode_map`.
fn haproxy(bytes: &[u8], also: &[u8]) -> Vec<u8> {
    let special = |byte: u8| !(0x20..=0x7e).contains(&byte) || also.contains(&byte);
    escape(bytes, |byte| special(byte).then(|| format!("#{byte:02X}")))
}

fn line(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// What nobody but the server says.
fn is_the_servers(request: &Request) -> bool {
    request.address.to_string() == "192.0.2.7"
        && request.port.is_some_and(|port| port.get() == 50_123)
        && request.time_unix_ms == MOMENT
        && request.status == 403
        && request.bytes == 5
}

/// What a header's bytes are in a request.
fn shown(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::new();
    for c in text.chars() {
        let _ = clean.write_char(if c.is_control() { '\u{fffd}' } else { c });
    }
    (!matches!(bytes, b"" | b"-")).then_some(clean)
}

fn header(bytes: &[u8]) -> Header {
    shown(bytes).map_or(Header::Absent, Header::Sent)
}

/// What five fields of a client are: target, user, referer, agent, language and host.
type Said = [Vec<u8>; 6];

fn said() -> impl Strategy<Value = Said> {
    [hostile(), hostile(), hostile(), hostile(), hostile(), hostile()]
}

fn combined(said: &Said, escape: impl Fn(&[u8]) -> Vec<u8>, empty: &[u8]) -> Vec<u8> {
    let [target, user, referer, agent, language, host] = said;
    let or_dash = |bytes: &[u8]| if bytes.is_empty() { b"-".to_vec() } else { escape(bytes) };
    let user = if user.is_empty() { empty.to_vec() } else { escape(user) };
    let (referer, agent) = (or_dash(referer), or_dash(agent));
    let (language, host) = (or_dash(language), or_dash(host));
    line(&[
        b"192.0.2.7 - ",
        &user,
        b" [22/Nov/2026:20:50:19 +0000] \"GET /",
        &escape(target),
        b" HTTP/1.1\" 403 5 \"",
        &referer,
        b"\" \"",
        &agent,
        b"\" 50123 \"",
        &language,
        b"\" \"",
        &host,
        b"\"",
    ])
}

fn check(request: &Request, said: &Said) -> Result<(), TestCaseError> {
    let [_, user, _, agent, language, host] = said;
    prop_assert!(is_the_servers(request), "{request:?}");
    prop_assert_eq!(&request.method, "GET");
    prop_assert!(request.path.starts_with('/'));
    prop_assert_eq!(&request.user, &shown(user));
    prop_assert_eq!(&request.user_agent, &header(agent));
    prop_assert_eq!(&request.accept_language, &header(language));
    prop_assert_eq!(&request.host, &shown(host));
    Ok(())
}

proptest! {
    #[test]
    fn nothing_forges_a_combined_line_of_nginx(said in said()) {
        let line = combined(&said, nginx, b"-");
        check(&Format::Combined.parse(&line, MOMENT).unwrap(), &said)?;
    }

    #[test]
    fn nothing_forges_a_combined_line_of_apache(said in said()) {
        let line = combined(&said, apache, b"\"\"");
        check(&Format::Combined.parse(&line, MOMENT).unwrap(), &said)?;
    }

    #[test]
    fn nothing_forges_a_line_of_json(said in said()) {
        let [target, user, _, agent, language, host] = &said;
        let line = line(&[
            br#"{"msec":"1795380619.000","remote_addr":"192.0.2.7","remote_port":"50123","remote_user":""#,
            &json(user),
            br#"","request_method":"GET","request_uri":"/"#,
            &json(target),
            br#"","status":"403","body_bytes_sent":"5","http_user_agent":""#,
            &json(agent),
            br#"","http_accept_language":""#,
            &json(language),
            br#"","host":""#,
            &json(host),
            br#""}"#,
        ]);
        check(&Format::NginxJson.parse(&line, MOMENT).unwrap(), &said)?;
    }

    #[test]
    fn nothing_forges_a_line_of_haproxy(mut said in said()) {
        said[1].clear();
        let [target, _, _, agent, language, host] = &said;
        let slot = |bytes: &[u8]| haproxy(bytes, b"\"#{|}");
        let line = line(&[
            b"192.0.2.7:50123 [22/Nov/2026:20:50:19.000] in~ b/s 1/0/3/6/10 403 5 - - ---- 1/1/1/1/0 0/0 {",
            &slot(host),
            b"|",
            &slot(agent),
            b"|",
            &slot(language),
            b"} \"GET /",
            &haproxy(target, b"\"#"),
            b" HTTP/1.1\"",
        ]);
        check(&Format::Haproxy.parse(&line, MOMENT).unwrap(), &said)?;
    }
}
