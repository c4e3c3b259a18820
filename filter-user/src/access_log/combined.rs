//! nginx's and Apache's `combined`, with what it lacks behind it.
//!
//! ```text
//! log_format palisade '$remote_addr - $remote_user [$time_local] "$request" $status '
//!                     '$body_bytes_sent "$http_referer" "$http_user_agent" '
//!                     '$remote_port "$http_accept_language" "$host"';
//!
//! LogFormat "%{c}a %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" \
//!            %{remote}p \"%{Accept-Language}i\" \"%{Host}i\"" palisade
//! ```
//!
//! Plain `combined` is read as well; its requests have no port. Nothing else is: a line that was
//! cut off anywhere else isn't taken for a shorter one.
//!
//! Both servers escape quotes and backslashes in all that a client says, so a quote without a
//! backslash is the server's. Only the user's name has no quotes around it: what stands between
//! it and the first quote is the server's, and is looked for from the quote backwards.
//!
//! *Source*: nginx `ngx_http_log_escape`, Apache `ap_escape_logitem` and `log_remote_user`.

use super::request::{self, Header, Request};
use super::scan::{self, Scan, unescaped};
use super::{LineError, time};
use std::net::IpAddr;

pub(super) fn parse(line: &[u8]) -> Result<Request, LineError> {
    let mut scan = Scan::of(line)?;
    let address: IpAddr = scan::parse(scan.until(b' ', "the address")?, "the address")?;
    scan.expect(b"- ", "the `-` behind the address")?;
    let (user, time) = user_and_time(&mut scan)?;
    let mut request = Request::new(time::common(time)?, address, None);
    request.user = user.and_then(|user| request::said(&unescaped(user), request::USER));
    request.set_line(&scan.quoted("the request")?);
    scan.expect(b" ", "the status")?;
    request.status = scan::number(scan.until(b' ', "the status")?, "the status")?;
    request.doubt_protocol();
    request.bytes = bytes(scan.until(b' ', "the answer's size")?)?;
    scan.quoted("the referer")?;
    scan.expect(b" ", "the user agent")?;
    let agent = scan.quoted("the user agent")?;
    request.user_agent = Header::logged(Some(&agent), request::USER_AGENT);
    if !scan.is_empty() {
        tail(&mut scan, &mut request)?;
    }
    Ok(request)
}

/// The user's name, if there is one, and the time in brackets.
fn user_and_time<'a>(scan: &mut Scan<'a>) -> Result<(Option<&'a [u8]>, &'a [u8]), LineError> {
    // Apache writes an empty name as two quotes.
    let empty = scan.take(b"\"\" ");
    let head = scan.until_quote("the request")?;
    let head = head.strip_suffix(b"] ").ok_or(LineError::Missing("the time"))?;
    if empty {
        return head.strip_prefix(b"[").map(|time| (None, time)).ok_or(TIME);
    }
    let at = memchr::memmem::rfind(head, b" [").ok_or(TIME)?;
    Ok((Some(&head[..at]), &head[at + 2..]))
}

const TIME: LineError = LineError::Missing("the time");

/// What `combined` lacks.
fn tail(scan: &mut Scan<'_>, request: &mut Request) -> Result<(), LineError> {
    scan.expect(b" ", "the client's port")?;
    let port = scan.until(b' ', "the client's port")?;
    request.port = Some(scan::number(port, "the client's port")?);
    let language = scan.quoted("Accept-Language")?;
    request.accept_language = Header::logged(Some(&language), request::LANGUAGE);
    scan.expect(b" ", "the host")?;
    request.host = request::said(&scan.quoted("the host")?, request::HOST);
    scan.end()
}

/// Apache writes `-` for none.
fn bytes(field: &[u8]) -> Result<u64, LineError> {
    if field == b"-" { Ok(0) } else { scan::number(field, "the answer's size") }
}
