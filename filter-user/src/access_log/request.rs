//! A request as an access log tells it.

use std::hash::{DefaultHasher, Hasher};
use std::net::IpAddr;
use std::num::NonZeroU16;

/// A request as an access log tells it.
///
/// *Shape*: texts are what the client said, without the log's escapes; control characters and
/// what isn't UTF-8 are U+FFFD. They are cut off at a character after the bytes that are stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// When, in milliseconds since 1970. Some servers say when a request began, some when its
    /// answer was sent, and some in whole seconds.
    pub time_unix_ms: u64,
    /// The other end of the TCP connection.
    pub address: IpAddr,
    /// Its port, if the log has it.
    pub port: Option<NonZeroU16>,
    /// Whether it came over QUIC, as far as the log can be believed: its port is none of TCP then.
    pub over_quic: bool,
    /// The method; empty when the client spoke no HTTP. At most 16 bytes.
    pub method: String,
    /// The target without scheme, authority and query, percent-escapes as they came: a query may
    /// hold secrets and isn't kept. Empty when the client spoke no HTTP. At most 512 bytes.
    pub path: String,
    /// A hash of the whole target, query included, so that distinct ones can be counted. The same
    /// in each run of one build.
    pub target_hash: u64,
    /// The answer's status; zero if there was none.
    pub status: u16,
    /// Bytes of the answer, as the server counts them.
    pub bytes: u64,
    /// At most 512 bytes.
    pub user_agent: Header,
    /// At most 128 bytes.
    pub accept_language: Header,
    /// `Sec-CH-UA`. At most 128 bytes.
    pub client_hints: Header,
    /// The host that was asked for: of the request, or of TLS if the log has only that. At most
    /// 255 bytes.
    pub host: Option<String>,
    /// Who the client says it is; whether that is true the status tells. At most 128 bytes.
    pub user: Option<String>,
}

/// A header of a request, in a log that may not have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// The log has no field for it.
    #[default]
    Unlogged,
    /// The client sent none, or an empty one.
    Absent,
    /// What the client sent.
    Sent(String),
}

impl Header {
    /// What the client sent, if anything.
    #[must_use]
    pub fn sent(&self) -> Option<&str> {
        match self {
            Self::Sent(text) => Some(text),
            Self::Unlogged | Self::Absent => None,
        }
    }

    /// A field that the log has: `None` and `-` stand for an absent header.
    pub(super) fn logged(value: Option<&[u8]>, most: usize) -> Self {
        value.and_then(|value| said(value, most)).map_or(Self::Absent, Self::Sent)
    }
}

/// Bytes of a user agent that are kept.
pub(super) const USER_AGENT: usize = 512;
/// Bytes of an `Accept-Language` that are kept.
pub(super) const LANGUAGE: usize = 128;
/// Bytes of client hints that are kept.
pub(super) const HINTS: usize = 128;
/// Bytes of a host that are kept.
pub(super) const HOST: usize = 255;
/// Bytes of a user's name that are kept.
pub(super) const USER: usize = 128;

const METHOD: usize = 16;
const PATH: usize = 512;

impl Request {
    /// A request of which only this is known.
    pub(super) fn new(time_unix_ms: u64, address: IpAddr, port: Option<NonZeroU16>) -> Self {
        Self {
            time_unix_ms,
            // A socket for both families writes IPv4 addresses as IPv6 ones.
            address: address.to_canonical(),
            port,
            over_quic: false,
            method: String::new(),
            path: String::new(),
            target_hash: 0,
            status: 0,
            bytes: 0,
            user_agent: Header::Unlogged,
            accept_language: Header::Unlogged,
            client_hints: Header::Unlogged,
            host: None,
            user: None,
        }
    }

    /// Takes `METHOD TARGET HTTP/VERSION`. Whatever else a client said leaves it without a method.
    pub(super) fn set_line(&mut self, line: &[u8]) {
        let Some(space) = line.iter().position(|byte| *byte == b' ') else {
            return;
        };
        let (method, rest) = (&line[..space], &line[space + 1..]);
        // Spaces in a target are against the rules, and happen.
        let version = rest.windows(6).rposition(|window| window == b" HTTP/");
        let (target, version) = rest.split_at(version.unwrap_or(rest.len()));
        self.set_protocol(version.trim_ascii_start());
        self.set_target(method, target);
    }

    /// Takes `HTTP/VERSION`.
    pub(super) fn set_protocol(&mut self, protocol: &[u8]) {
        self.over_quic = protocol.starts_with(b"HTTP/3");
    }

    /// Looks once more at a version that may be what a client wrote over TCP, once the answer is
    /// known: a request line of HTTP/1 that says `HTTP/3` is refused.
    pub(super) const fn doubt_protocol(&mut self) {
        self.over_quic &= !matches!(self.status, 400 | 505);
    }

    /// Takes a method and a target.
    pub(super) fn set_target(&mut self, method: &[u8], target: &[u8]) {
        let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        if method.is_empty() || method == b"-" || !method.iter().all(token) || target.is_empty() {
            return;
        }
        self.method = text(method, METHOD);
        let mut hasher = DefaultHasher::new();
        hasher.write(target);
        self.target_hash = hasher.finish();
        self.path = text(path(target), PATH);
    }
}

/// A target's path: `https://host/a?b` is `/a`.
fn path(target: &[u8]) -> &[u8] {
    let end = target.iter().position(|byte| matches!(byte, b'?' | b'#'));
    let target = &target[..end.unwrap_or(target.len())];
    let scheme = target.windows(3).position(|window| window == b"://");
    match scheme {
        Some(at) if !target[..at].contains(&b'/') => {
            let rest = &target[at + 3..];
            let slash = rest.iter().position(|byte| *byte == b'/');
            slash.map_or(b"/".as_slice(), |slash| &rest[slash..])
        }
        _ => target,
    }
}

/// What a field says, unless it says nothing.
pub(super) fn said(value: &[u8], most: usize) -> Option<String> {
    (!matches!(value, b"" | b"-")).then(|| text(value, most))
}

/// Bytes of a client as a text that is fit to be shown.
fn text(bytes: &[u8], most: usize) -> String {
    // Cleaning makes a text longer, never shorter: the rest would be cut off anyway.
    let bytes = &bytes[..bytes.len().min(most)];
    let lossy = String::from_utf8_lossy(bytes);
    let clean = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut text: String = lossy.chars().map(clean).collect();
    text.truncate(text.floor_char_boundary(most));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn request(line: &str) -> (String, String) {
        let mut request = Request::new(0, Ipv4Addr::LOCALHOST.into(), None);
        request.set_line(line.as_bytes());
        (request.method, request.path)
    }

    fn pair(method: &str, path: &str) -> (String, String) {
        (method.into(), path.into())
    }

    #[test]
    fn a_target_is_kept_as_its_path() {
        assert_eq!(request("GET /a%20b?token=x HTTP/1.1"), pair("GET", "/a%20b"));
        assert_eq!(request("GET https://edge.test/a?b HTTP/2.0"), pair("GET", "/a"));
        assert_eq!(request("GET https://edge.test HTTP/2.0"), pair("GET", "/"));
        assert_eq!(request("GET /go/http://x/y HTTP/1.1"), pair("GET", "/go/http://x/y"));
        assert_eq!(request("OPTIONS * HTTP/1.1"), pair("OPTIONS", "*"));
        assert_eq!(request("GET /old"), pair("GET", "/old"));
        assert_eq!(request("GET /a b HTTP/1.1 HTTP/1.1"), pair("GET", "/a b HTTP/1.1"));
    }

    #[test]
    fn http_3_comes_over_quic() {
        for (line, over_quic) in [("GET / HTTP/3.0", true), ("GET /?HTTP/3 HTTP/1.1", false)] {
            let mut request = Request::new(0, Ipv4Addr::LOCALHOST.into(), None);
            request.set_line(line.as_bytes());
            assert_eq!(request.over_quic, over_quic, "{line}");
        }
    }

    #[test]
    fn what_is_no_http_has_no_method() {
        for line in ["", "-", "\x16\x03\x01", "<BADREQ>", " /x HTTP/1.1", "GET ", "G\"T / HTTP/1.1"]
        {
            assert_eq!(request(line), pair("", ""), "{line:?}");
        }
    }

    #[test]
    fn texts_are_bounded_and_fit_to_be_shown() {
        assert_eq!(text(b"a\x1b[2J\xff\n", 100), "a\u{fffd}[2J\u{fffd}\u{fffd}");
        for most in 0..12 {
            assert!(text("ä€𝄞".as_bytes(), most).len() <= most);
            assert!(text(&[0xff; 20], most).len() <= most);
        }
    }
}
