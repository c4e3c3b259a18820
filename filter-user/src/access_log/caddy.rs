//! Caddy's access log, which is JSON and has the client's port.
//!
//! ```text
//! log {
//!     output file /var/log/caddy/access.log
//!     format json
//! }
//! ```
//!
//! The time stays as it is by default, in seconds since 1970. `remote_ip` is the other end of the
//! connection; `client_ip` is what a header may say, and isn't looked at.
//!
//! *Source*: caddyserver.com/docs/logging and its `log` directive; `modules/caddyhttp/logging.go`,
//! `marshalers.go`.

use super::json::{self, Scalar};
use super::request::{self, Header, Request};
use super::{LineError, scan, time};
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    ts: Option<f64>,
    request: Option<Asked>,
    user_id: Option<String>,
    status: Option<Scalar>,
    size: Option<Scalar>,
}

#[derive(Deserialize)]
struct Asked {
    remote_ip: Option<String>,
    remote_port: Option<Scalar>,
    proto: Option<String>,
    method: Option<String>,
    host: Option<String>,
    uri: Option<String>,
    headers: Option<Headers>,
    tls: Option<Tls>,
}

/// Each header has a list of values; Go writes the names in this way whatever a client does.
#[derive(Deserialize)]
struct Headers {
    #[serde(rename = "User-Agent")]
    user_agent: Option<Vec<String>>,
    #[serde(rename = "Accept-Language")]
    accept_language: Option<Vec<String>>,
    #[serde(rename = "Sec-Ch-Ua")]
    client_hints: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Tls {
    server_name: Option<String>,
}

pub(super) fn parse(line: &[u8]) -> Result<Request, LineError> {
    let line: Line = json::object(line)?;
    let asked = json::needed(line.request, "request")?;
    let address = json::needed(asked.remote_ip.as_deref(), "remote_ip")?;
    let address = scan::parse(address.as_bytes(), "remote_ip")?;
    let port = asked.remote_port.as_ref().map(|port| port.number("remote_port")).transpose()?;
    let time = time::float(json::needed(line.ts, "ts")?)?;
    let mut request = Request::new(time, address, port);
    let method = asked.method.as_deref().unwrap_or_default();
    let target = asked.uri.as_deref().unwrap_or_default();
    request.set_protocol(asked.proto.as_deref().unwrap_or_default().as_bytes());
    request.set_target(method.as_bytes(), target.as_bytes());
    request.status = json::number_or_zero(line.status.as_ref(), "status")?;
    request.bytes = json::number_or_zero(line.size.as_ref(), "size")?;
    if let Some(headers) = &asked.headers {
        request.user_agent = header(headers.user_agent.as_deref(), request::USER_AGENT);
        request.accept_language = header(headers.accept_language.as_deref(), request::LANGUAGE);
        request.client_hints = header(headers.client_hints.as_deref(), request::HINTS);
    }
    let said = |text: &Option<String>, most| request::said(text.as_ref()?.as_bytes(), most);
    request.user = said(&line.user_id, request::USER);
    let name = asked.tls.and_then(|tls| said(&tls.server_name, request::HOST));
    request.host = said(&asked.host, request::HOST).or(name);
    Ok(request)
}

/// Caddy logs all headers, unless it is told to leave them out.
fn header(values: Option<&[String]>, most: usize) -> Header {
    Header::logged(values.and_then(|values| values.first()).map(String::as_bytes), most)
}
