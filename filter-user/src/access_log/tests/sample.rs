//! Lines as the servers write them.

use super::{Format, MOMENT};
use crate::access_log::{Header, Request};

pub(super) const NGINX: &str = r#"192.0.2.7 - - [22/Nov/2026:20:50:19 +0000] "GET /a?b=c HTTP/2.0" 200 612 "-" "curl/8.5.0" 50123 "en-US,en;q=0.5" "edge.test""#;
const APACHE: &str = r#"2001:db8::7 - "" [22/Nov/2026:20:50:19 +0000] "GET /a\"b HTTP/1.1" 401 - "-" "M\\oz\"illa" 50123 "-" "edge.test:443""#;
pub(super) const NGINX_JSON: &str = r#"{"msec":"1795380619.000","remote_addr":"192.0.2.7","remote_port":"50123","remote_user":"","request_method":"GET","request_uri":"/a?b=c","server_protocol":"HTTP/2.0","status":"200","body_bytes_sent":"612","http_user_agent":"curl/8.5.0","http_accept_language":"","host":"edge.test","ssl_server_name":"edge.test"}"#;
pub(super) const HAPROXY: &str = r#"192.0.2.7:50123 [22/Nov/2026:20:50:19.000] https-in~ static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {edge.test|curl/8.5.0|} "GET https://edge.test/a?b=c HTTP/2.0""#;
pub(super) const CADDY: &str = r#"{"level":"info","ts":1795380619.0,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.7","remote_port":"50123","client_ip":"198.51.100.1","proto":"HTTP/2.0","method":"GET","host":"edge.test","uri":"/a?b=c","headers":{"User-Agent":["curl/8.5.0"],"Accept":["*/*"],"Cookie":["REDACTED"]},"tls":{"resumed":false,"version":772,"cipher_suite":4865,"proto":"h2","server_name":"edge.test"}},"bytes_read":0,"user_id":"","duration":0.000929675,"size":10900,"status":200,"resp_headers":{"Server":["Caddy"],"Content-Type":["text/html"]}}"#;
pub(super) const ENVOY: &str = r#"{"start_time":"2026-11-22T20:50:19.000Z","downstream_direct_remote_address":"192.0.2.7:50123","protocol":"HTTP/2","method":"GET","path":"/a?b=c","response_code":200,"bytes_sent":612,"user_agent":"curl/8.5.0","accept_language":null,"authority":"edge.test","requested_server_name":"edge.test"}"#;

fn read(format: Format, line: &str) -> Request {
    format.parse(line.as_bytes(), MOMENT).unwrap()
}

fn sent(text: &str) -> Header {
    Header::Sent(text.into())
}

/// What all sample lines but Apache's say.
fn expect(request: &Request, bytes: u64, accept_language: &Header) {
    let port = request.port.unwrap().get();
    assert_eq!((request.time_unix_ms, request.address.to_string()), (MOMENT, "192.0.2.7".into()));
    assert_eq!((port, request.method.as_str(), request.path.as_str()), (50_123, "GET", "/a"));
    assert_eq!((request.status, request.bytes), (200, bytes));
    assert_eq!(request.user_agent, sent("curl/8.5.0"));
    assert_eq!(&request.accept_language, accept_language);
    assert_eq!((request.host.as_deref(), request.user.as_deref()), (Some("edge.test"), None));
}

#[test]
fn each_server_says_the_same_of_a_request() {
    expect(&read(Format::Combined, NGINX), 612, &sent("en-US,en;q=0.5"));
    expect(&read(Format::NginxJson, NGINX_JSON), 612, &Header::Absent);
    expect(&read(Format::Haproxy, HAPROXY), 2750, &Header::Absent);
    expect(&read(Format::CaddyJson, CADDY), 10_900, &Header::Absent);
    expect(&read(Format::EnvoyJson, ENVOY), 612, &Header::Absent);
}

#[test]
fn apache_escapes_in_its_own_way() {
    let request = read(Format::Combined, APACHE);
    assert_eq!(request.address.to_string(), "2001:db8::7");
    assert_eq!((request.path.as_str(), request.status, request.bytes), ("/a\"b", 401, 0));
    assert_eq!(request.user_agent, sent("M\\oz\"illa"));
    assert_eq!((request.user, request.accept_language), (None, Header::Absent));
}

#[test]
fn plain_combined_has_no_port() {
    let line = NGINX.split(" 50123 ").next().unwrap();
    let request = read(Format::Combined, line);
    assert_eq!((request.port, request.accept_language), (None, Header::Unlogged));
    assert_eq!(request.user_agent, sent("curl/8.5.0"));
}

#[test]
fn what_is_no_http_is_a_request_without_a_method() {
    let line =
        NGINX.replace("GET /a?b=c HTTP/2.0", r"\x16\x03\x01\x02\x00").replace(" 200 ", " 400 ");
    let request = read(Format::Combined, &line);
    assert_eq!((request.method.as_str(), request.status), ("", 400));
    let line = HAPROXY
        .replace("GET https://edge.test/a?b=c HTTP/2.0", "<BADREQ>")
        .replace(" 200 ", " -1 ");
    let request = read(Format::Haproxy, &line);
    assert_eq!((request.method.as_str(), request.status), ("", 0));
}

#[test]
fn a_request_over_quic_is_known_in_each_format() {
    for (format, line) in super::GOOD {
        assert!(!read(format, line).over_quic, "{}", format.name());
        let line = line.replace("HTTP/2", "HTTP/3");
        assert!(read(format, &line).over_quic, "{}", format.name());
    }
}

#[test]
fn a_client_over_tcp_does_not_pass_for_one_over_quic() {
    for (format, line) in super::GOOD {
        // Caddy and Envoy write the version that they speak.
        let is_the_clients = !matches!(format, Format::CaddyJson | Format::EnvoyJson);
        for status in ["400", "505"] {
            let line = line.replace("HTTP/2", "HTTP/3").replace("200", status);
            assert_eq!(read(format, &line).over_quic, !is_the_clients, "{}", format.name());
        }
    }
}

#[test]
fn haproxy_without_captures_with_two_and_with_tls() {
    let plain = HAPROXY.replace("{edge.test|curl/8.5.0|} ", "");
    let request = read(Format::Haproxy, &plain);
    assert_eq!((request.user_agent, request.host), (Header::Unlogged, None));
    let both = HAPROXY.replace("|} ", "|} {text/html} ");
    assert_eq!(read(Format::Haproxy, &both), read(Format::Haproxy, HAPROXY));
    let tls = format!("{plain} 0/0/0/0/0 edge.test/TLSv1.3/TLS_AES_128_GCM_SHA256");
    assert_eq!(read(Format::Haproxy, &tls).host.as_deref(), Some("edge.test"));
    let v6 = HAPROXY.replace("192.0.2.7:", "2001:db8::7:");
    assert_eq!(read(Format::Haproxy, &v6).address.to_string(), "2001:db8::7");
}

#[test]
fn an_ipv4_address_written_as_ipv6_is_itself() {
    let line = NGINX.replace("192.0.2.7", "::ffff:192.0.2.7");
    assert_eq!(read(Format::Combined, &line), read(Format::Combined, NGINX));
}

#[test]
fn a_syslog_header_may_come_first() {
    for (format, line) in super::GOOD {
        let told = format!("<190>Nov 22 20:50:19 edge nginx: {line}");
        assert_eq!(read(format, &told), read(format, line), "{}", format.name());
    }
}
