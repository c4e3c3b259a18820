//! The formats that are known.

use super::{LineError, MAX_LINE, Request, Zone};
use super::{caddy, combined, envoy, haproxy, nginx_json, syslog};
use serde::{Deserialize, Serialize};

/// How a server writes its log. The module of each has the line of configuration for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `combined` of nginx or Apache, with the client's port behind it.
    Combined,
    /// nginx's variables as JSON.
    NginxJson,
    /// `HAProxy`'s `option httplog` or `option httpslog`.
    Haproxy,
    /// Caddy's JSON.
    CaddyJson,
    /// Envoy's JSON.
    EnvoyJson,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Combined, Self::NginxJson, Self::Haproxy, Self::CaddyJson, Self::EnvoyJson];

    /// Its name, as in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Combined => "combined",
            Self::NginxJson => "nginx-json",
            Self::Haproxy => "haproxy",
            Self::CaddyJson => "caddy-json",
            Self::EnvoyJson => "envoy-json",
        }
    }

    /// Reads a line alone, as the first of its log.
    ///
    /// *Errors*: [`LineError`]. Any bytes are fit to be tried.
    pub fn parse(self, line: &[u8], now_unix_ms: u64) -> Result<Request, LineError> {
        self.parse_in(&mut Zone::default(), line, now_unix_ms)
    }

    /// Reads a line without its end, which may have a syslog header.
    ///
    /// *Units*: `now_unix_ms` is when it is read; only `HAProxy`, whose times have no zone, needs
    /// it, and what the lines before have shown of that.
    ///
    /// *Errors*: [`LineError`]. Any bytes are fit to be tried.
    pub fn parse_in(
        self,
        zone: &mut Zone,
        line: &[u8],
        now_unix_ms: u64,
    ) -> Result<Request, LineError> {
        if line.len() > MAX_LINE {
            return Err(LineError::TooLong);
        }
        let line = syslog::strip(line)?;
        match self {
            Self::Combined => combined::parse(line),
            Self::NginxJson => nginx_json::parse(line),
            Self::Haproxy => haproxy::parse(zone, line, now_unix_ms),
            Self::CaddyJson => caddy::parse(line),
            Self::EnvoyJson => envoy::parse(line),
        }
    }
}
