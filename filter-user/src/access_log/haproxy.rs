//! `HAProxy`'s `option httplog` and `option httpslog`, which have the client's port.
//!
//! ```text
//! log /run/palisade/log.sock len 65535 local0
//! option httplog
//! capture request header Host len 255
//! capture request header User-Agent len 512
//! capture request header Accept-Language len 128
//! ```
//!
//! Without captured headers the line says nothing of host, user agent and language; with any, it
//! has to be these three. `capture cookie` isn't read: its value comes unescaped from the client.
//!
//! In captured headers `HAProxy` escapes `{`, `|`, `}`, quotes and control bytes as `#HH`, in the
//! request quotes, `#` and control bytes, so a client ends neither. A line that is longer than
//! `len` has lost its end, and is malformed.
//!
//! *Source*: `HAProxy`'s configuration manual, 8.2.3 and 8.6; `src/log.c`, `hdr_encode_map`,
//! `url_encode_map`.

use super::request::{self, Header, Request};
use super::scan::{self, Scan, hex};
use super::{LineError, Zone, time};
use std::net::IpAddr;

/// Reads a line of a log of that zone.
pub(super) fn parse(zone: &mut Zone, line: &[u8], now_unix_ms: u64) -> Result<Request, LineError> {
    let mut scan = Scan::of(line)?;
    let client = scan.until(b' ', "the client")?;
    // IPv6 addresses have no brackets here.
    let colon = memchr::memrchr(b':', client).ok_or(LineError::Missing("the client's port"))?;
    let address: IpAddr = scan::parse(&client[..colon], "the address")?;
    let port = scan::number(&client[colon + 1..], "the client's port")?;
    scan.expect(b"[", "the time")?;
    let time = time::common_in(zone, scan.until(b']', "the time")?, now_unix_ms)?;
    scan.expect(b" ", "the frontend")?;
    let mut request = Request::new(time, address, Some(port));
    for field in ["the frontend", "the backend", "the timers"] {
        scan.until(b' ', field)?;
    }
    answer(&mut scan, &mut request)?;
    captured(&mut scan, &mut request)?;
    scan.expect(b"\"", "the request")?;
    request.set_line(&decoded(scan.until(b'"', "the end of the request")?));
    request.doubt_protocol();
    if !scan.is_empty() {
        tls(&mut scan, &mut request)?;
    }
    Ok(request)
}

/// Status, size, cookies that aren't captured, and how the connection fared.
fn answer(scan: &mut Scan<'_>, request: &mut Request) -> Result<(), LineError> {
    let status = scan.until(b' ', "the status")?;
    // Without an answer it is -1.
    request.status = if status == b"-1" { 0 } else { scan::number(status, "the status")? };
    let bytes = scan.until(b' ', "the answer's size")?;
    // `option logasap` says so by a sign.
    request.bytes = scan::number(bytes.strip_prefix(b"+").unwrap_or(bytes), "the answer's size")?;
    scan.expect(b"- - ", "a `-` for each cookie, as none may be captured,")?;
    for field in ["the termination state", "the connections", "the queues"] {
        scan.until(b' ', field)?;
    }
    Ok(())
}

/// Captured headers of the request, and those of the answer, which aren't wanted.
fn captured(scan: &mut Scan<'_>, request: &mut Request) -> Result<(), LineError> {
    const CAPTURED: &str = "the captured headers";
    if !scan.take(b"{") {
        return Ok(());
    }
    let mut slots = scan.until(b'}', CAPTURED)?.split(|byte| *byte == b'|');
    let three = (slots.next(), slots.next(), slots.next(), slots.next());
    let (Some(host), Some(agent), Some(language), None) = three else {
        return Err(LineError::Bad("the captured headers: Host, User-Agent, Accept-Language:"));
    };
    request.host = request::said(&decoded(host), request::HOST);
    request.user_agent = Header::logged(Some(&decoded(agent)), request::USER_AGENT);
    request.accept_language = Header::logged(Some(&decoded(language)), request::LANGUAGE);
    scan.expect(b" ", CAPTURED)?;
    if scan.take(b"{") {
        scan.until(b'}', CAPTURED)?;
        scan.expect(b" ", CAPTURED)?;
    }
    Ok(())
}

/// What `option httpslog` adds: errors, and the name that TLS asked for. Version and cipher are
/// the server's, so the name is what stands before them.
fn tls(scan: &mut Scan<'_>, request: &mut Request) -> Result<(), LineError> {
    const TLS: &str = "what httpslog says of TLS";
    scan.expect(b" ", TLS)?;
    scan.until(b' ', TLS)?;
    let mut parts = scan.rest().rsplitn(3, |byte| *byte == b'/');
    let (_cipher, _version, name) = (parts.next(), parts.next(), parts.next());
    let name = name.ok_or(LineError::Bad(TLS))?;
    if request.host.is_none() {
        request.host = request::said(name, request::HOST);
    }
    Ok(())
}

/// A field without the escapes `#HH`.
fn decoded(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, behind)) = rest.split_first() {
        let escaped = if byte == b'#' { hex(behind) } else { None };
        plain.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    plain
}
