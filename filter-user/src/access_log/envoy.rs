//! Envoy's access log as JSON.
//!
//! ```text
//! log_format:
//!   json_format:
//!     start_time: "%START_TIME%"
//!     downstream_direct_remote_address: "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%"
//!     protocol: "%PROTOCOL%"
//!     method: "%REQ(:METHOD)%"
//!     path: "%REQ(:PATH)%"
//!     response_code: "%RESPONSE_CODE%"
//!     bytes_sent: "%BYTES_SENT%"
//!     user_agent: "%REQ(USER-AGENT)%"
//!     accept_language: "%REQ(ACCEPT-LANGUAGE)%"
//!     sec_ch_ua: "%REQ(SEC-CH-UA)%"
//!     authority: "%REQ(:AUTHORITY)%"
//!     requested_server_name: "%REQUESTED_SERVER_NAME%"
//! ```
//!
//! `DOWNSTREAM_REMOTE_ADDRESS` isn't read: it may be what a header says. The address has its port.
//!
//! *Source*: Envoy's "Access logging", format dictionaries and command operators.

use super::json::{self, Scalar};
use super::request::{self, Header, Request};
use super::{LineError, scan, time};
use serde::{Deserialize, Deserializer};
use std::net::SocketAddr;
use std::num::NonZeroU16;

#[derive(Deserialize)]
struct Line {
    start_time: Option<String>,
    downstream_direct_remote_address: Option<String>,
    protocol: Option<String>,
    method: Option<String>,
    path: Option<String>,
    response_code: Option<Scalar>,
    bytes_sent: Option<Scalar>,
    #[serde(default, deserialize_with = "field")]
    user_agent: Field,
    #[serde(default, deserialize_with = "field")]
    accept_language: Field,
    #[serde(default, deserialize_with = "field")]
    sec_ch_ua: Field,
    authority: Option<String>,
    requested_server_name: Option<String>,
}

/// `None` when there is no such key; a header that wasn't sent is null.
type Field = Option<Option<String>>;

fn field<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Field, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

pub(super) fn parse(line: &[u8]) -> Result<Request, LineError> {
    const ADDRESS: &str = "downstream_direct_remote_address";
    let line: Line = json::object(line)?;
    let client = json::needed(line.downstream_direct_remote_address.as_deref(), ADDRESS)?;
    let client: SocketAddr = scan::parse(client.as_bytes(), ADDRESS)?;
    let time = json::needed(line.start_time.as_deref(), "start_time")?;
    let time = time::iso(time.as_bytes())?;
    let mut request = Request::new(time, client.ip(), NonZeroU16::new(client.port()));
    let method = line.method.as_deref().unwrap_or_default();
    let target = line.path.as_deref().unwrap_or_default();
    request.set_protocol(line.protocol.as_deref().unwrap_or_default().as_bytes());
    request.set_target(method.as_bytes(), target.as_bytes());
    request.status = json::number_or_zero(line.response_code.as_ref(), "response_code")?;
    request.bytes = json::number_or_zero(line.bytes_sent.as_ref(), "bytes_sent")?;
    request.user_agent = header(&line.user_agent, request::USER_AGENT);
    request.accept_language = header(&line.accept_language, request::LANGUAGE);
    request.client_hints = header(&line.sec_ch_ua, request::HINTS);
    let said = |text: &Option<String>| request::said(text.as_ref()?.as_bytes(), request::HOST);
    request.host = said(&line.authority).or_else(|| said(&line.requested_server_name));
    Ok(request)
}

fn header(field: &Field, most: usize) -> Header {
    let logged =
        |value: &Option<String>| Header::logged(value.as_ref().map(String::as_bytes), most);
    field.as_ref().map_or(Header::Unlogged, logged)
}
