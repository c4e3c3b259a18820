//! What can be seen of a client: handshakes and requests.

use crate::classify::family::Family;
use crate::classify::judgement::Class;
use crate::classify::syn::System;
use filter_common::abi::client::ClientKey;

/// Something that a client did.
///
/// *Units*: `at_ms` in milliseconds since 1970. What comes late counts as if it came now.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Who. Only proven addresses, or those that the operator's own server wrote down.
    pub client: ClientKey,
    /// Which service; one that the policy doesn't name is treated by its defaults.
    pub service: &'a str,
    /// The hello of the connection; `None` if it isn't known, or a request wasn't joined.
    pub tls: Option<Tls<'a>>,
    /// When.
    pub at_ms: u64,
    /// What.
    pub what: What<'a>,
}

/// What is held of a connection's hello.
#[derive(Clone, Copy, Debug)]
pub struct Tls<'a> {
    /// Its JA4.
    pub ja4: &'a str,
    /// What sends it.
    pub class: Class,
    /// The browsers whose clothes it wears.
    pub family: Option<Family>,
    /// The system that opened its connection, if that is known.
    pub system: Option<System>,
}

/// What a client did.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// It sent a hello.
    Handshake(Sni<'a>),
    /// A server answered a request of its.
    Request(Request<'a>),
}

/// Whom a hello asks for.
#[derive(Clone, Copy, Debug)]
pub enum Sni<'a> {
    /// A name.
    Name(&'a str),
    /// An address in the place of a name.
    Address,
    /// Nobody.
    None,
}

/// A line of an access log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The path; what follows a question mark doesn't count.
    pub path: &'a str,
    /// The status that was answered.
    pub status: u16,
    /// The account that was tried or used.
    pub account: Option<&'a str>,
    /// `User-Agent`.
    pub user_agent: Field<'a>,
    /// `Accept-Language`.
    pub accept_language: Field<'a>,
    /// `Sec-CH-UA`.
    pub client_hints: Field<'a>,
}

/// A header, as a log has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field<'a> {
    /// The log doesn't say.
    #[default]
    NotLogged,
    /// The request had none.
    Absent,
    /// What it was.
    Is(&'a str),
}

impl<'a> Field<'a> {
    /// What it was; `None` if there was none, or the log doesn't say.
    #[must_use]
    pub const fn value(self) -> Option<&'a str> {
        match self {
            Self::Is(value) => Some(value),
            Self::NotLogged | Self::Absent => None,
        }
    }
}

impl Request<'_> {
    /// The path without its query.
    #[must_use]
    pub fn bare_path(&self) -> &str {
        self.path.split(['?', '#']).next().unwrap_or_default()
    }
}
