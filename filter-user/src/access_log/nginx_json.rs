//! nginx's variables as JSON.
//!
//! ```text
//! log_format palisade_json escape=json
//!     '{"msec":"$msec","remote_addr":"$remote_addr","remote_port":"$remote_port",'
//!     '"remote_user":"$remote_user","request_method":"$request_method",'
//!     '"request_uri":"$request_uri","server_protocol":"$server_protocol","status":"$status",'
//!     '"body_bytes_sent":"$body_bytes_sent","http_user_agent":"$http_user_agent",'
//!     '"http_accept_language":"$http_accept_language",'
//!     '"http_sec_ch_ua":"$http_sec_ch_ua","host":"$host",'
//!     '"ssl_server_name":"$ssl_server_name"}';
//! ```
//!
//! `msec`, or `time_iso8601`, and `remote_addr` have to be there, further keys may be. All values
//! are in quotes: an empty variable would leave no JSON. Without `escape=json` quotes are escaped
//! as `\x22`, which is no JSON either.
//!
//! *Source*: nginx `ngx_escape_json`.

use super::json::{self, Scalar};
use super::request::{self, Header, Request};
use super::{LineError, scan, time};
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    msec: Option<Scalar>,
    time_iso8601: Option<String>,
    remote_addr: Option<String>,
    remote_port: Option<Scalar>,
    remote_user: Option<String>,
    request_method: Option<String>,
    request_uri: Option<String>,
    server_protocol: Option<String>,
    status: Option<Scalar>,
    body_bytes_sent: Option<Scalar>,
    http_user_agent: Option<String>,
    http_accept_language: Option<String>,
    http_sec_ch_ua: Option<String>,
    host: Option<String>,
    ssl_server_name: Option<String>,
}

pub(super) fn parse(line: &[u8]) -> Result<Request, LineError> {
    let line: Line = json::object(line)?;
    let address = json::needed(line.remote_addr.as_deref(), "remote_addr")?;
    let address = scan::parse(address.as_bytes(), "remote_addr")?;
    let port = line.remote_port.as_ref().map(|port| port.number("remote_port")).transpose()?;
    let mut request = Request::new(line.time()?, address, port);
    let method = line.request_method.as_deref().unwrap_or_default();
    let target = line.request_uri.as_deref().unwrap_or_default();
    request.set_protocol(line.server_protocol.as_deref().unwrap_or_default().as_bytes());
    request.set_target(method.as_bytes(), target.as_bytes());
    request.status = json::number_or_zero(line.status.as_ref(), "status")?;
    request.doubt_protocol();
    request.bytes = json::number_or_zero(line.body_bytes_sent.as_ref(), "body_bytes_sent")?;
    request.user_agent = header(line.http_user_agent.as_deref(), request::USER_AGENT);
    request.accept_language = header(line.http_accept_language.as_deref(), request::LANGUAGE);
    request.client_hints = header(line.http_sec_ch_ua.as_deref(), request::HINTS);
    let said = |text: &Option<String>, most| request::said(text.as_ref()?.as_bytes(), most);
    request.user = said(&line.remote_user, request::USER);
    let host = said(&line.host, request::HOST);
    request.host = host.or_else(|| said(&line.ssl_server_name, request::HOST));
    Ok(request)
}

impl Line {
    fn time(&self) -> Result<u64, LineError> {
        match (&self.msec, &self.time_iso8601) {
            (Some(Scalar::Text(text)), _) => time::seconds(text.as_bytes()),
            (Some(Scalar::Float(seconds)), _) => time::float(*seconds),
            (Some(Scalar::Whole(seconds)), _) => time::seconds(seconds.to_string().as_bytes()),
            (None, Some(text)) => time::iso(text.as_bytes()),
            (None, None) => Err(LineError::Missing("msec")),
        }
    }
}

/// A variable that isn't logged has no key; one of a header that wasn't sent is empty.
fn header(value: Option<&str>, most: usize) -> Header {
    value.map_or(Header::Unlogged, |value| Header::logged(Some(value.as_bytes()), most))
}
