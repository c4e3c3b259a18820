//! What became of a ClientHello.

use super::forms;
use super::ja4::{Ja4, Raw, Transport};
use super::list::Lists;
use super::name;
use super::segment::Flow;
use super::{Fingerprint, Ja3};
use bytes::Bytes;
use filter_common::abi;
use filter_common::abi::counter::Verdict;
use filter_common::ja4::MAX_VALUES;
use filter_common::wire::client_hello::HelloError;
use filter_common::wire::syn::Syn;
use serde::Serialize;
use std::fmt;

/// A hello that was put together, or was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Who said it to whom.
    pub flow: Flow,
    /// Sequence number of its first byte.
    pub stream_start: u32,
    /// TCP segments that it is made of; those that were there, if it has no fingerprint.
    pub segments: u32,
    /// Whether a local socket waited for its bytes; in a capture, whether its sender has
    /// acknowledged the server's answer.
    pub proven: bool,
    /// When the last segment came that had to do with it.
    pub time_ns: u64,
    /// A keyed hash of what its JA3 is made of; in captures the start of its JA3.
    pub wire: u64,
    /// Whether it is known to be the first of its connection.
    pub is_first: bool,
    /// What its connection started with, if the program has kept that, or the capture has it.
    pub syn: Option<Syn>,
    /// What a rule did about it; a capture has none.
    pub verdict: Verdict,
    /// The hello, or why there is none.
    ///
    /// A hello may be followed by [`Cause::Conflict`] for the same flow and
    /// `stream_start`: its fingerprint doesn't count then.
    pub result: Result<Hello, Cause>,
}

/// A whole ClientHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The handshake message, its four header bytes included.
    pub message: Bytes,
    /// The host that it asks for, safe to be shown.
    pub sni: Option<String>,
    /// The first protocol that it offers, safe to be shown.
    pub alpn: Option<String>,
    /// What it tells of the client.
    pub fingerprint: Fingerprint,
}

impl Hello {
    pub(super) fn of(message: Bytes) -> Result<Self, Cause> {
        Self::over(message, Transport::Tcp)
    }

    /// Reads a message that came over the given transport.
    pub(crate) fn over(message: Bytes, transport: Transport) -> Result<Self, Cause> {
        let lists = Lists::parse(&message).map_err(|_| Cause::Malformed)?;
        if lists.values() > MAX_VALUES {
            return Err(Cause::TooManyValues);
        }
        let fingerprint = Fingerprint::over(&lists, transport);
        let (sni, alpn) = (name::server_name(&lists), name::alpn(&lists));
        Ok(Self { message, sni, alpn, fingerprint })
    }

    /// Reads a message whose JA4 is known.
    pub(super) fn told(message: Bytes, ja4: Ja4) -> Result<Self, HelloError> {
        let lists = Lists::parse(&message)?;
        let fingerprint = Fingerprint { ja4, ja3: Ja3::of(&lists) };
        let (sni, alpn) = (name::server_name(&lists), name::alpn(&lists));
        Ok(Self { message, sni, alpn, fingerprint })
    }

    /// Its JA4 before hashing.
    #[must_use]
    pub fn ja4_r(&self) -> String {
        self.write(|lists, transport| Raw::of(lists, transport).text)
    }

    /// Its JA4 in the order of the wire, before hashing: what [`Forms`](super::Forms) are made of.
    #[must_use]
    pub fn ja4_ro(&self) -> String {
        self.write(forms::original)
    }

    /// Writes the lists, which could be read when the hello came.
    fn write(&self, form: impl FnOnce(&Lists<'_>, Transport) -> String) -> String {
        let transport = self.fingerprint.ja4.transport();
        Lists::parse(&self.message).map_or_else(|_| String::new(), |lists| form(&lists, transport))
    }
}

/// Why a hello has no fingerprint. Each is a signal of its own: no ordinary client does
/// any of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Bytes are missing in front of some that came.
    Gap,
    /// Two segments disagree about the same bytes; which of them the server believes
    /// can't be known.
    Conflict,
    /// It takes more bytes than [`HELLO_WINDOW`](filter_common::abi::hello::HELLO_WINDOW).
    TooLong,
    /// It lies in more TLS records than [`MAX_RECORDS`](super::MAX_RECORDS).
    TooManyRecords,
    /// It lies in more segments than [`MAX_SEGMENTS`](super::MAX_SEGMENTS).
    TooManySegments,
    /// It had to make room for newer ones.
    TableFull,
    /// Its end never came.
    TimedOut,
    /// Its lengths contradict one another, or its records are interrupted.
    Malformed,
    /// The capture holds only the start of a segment.
    Truncated,
    /// What is missing came with a wrong checksum only.
    BadChecksum,
    /// Its lists have more values than [`MAX_VALUES`](filter_common::ja4::MAX_VALUES).
    TooManyValues,
    /// A byte in it is urgent (TCP URG): some servers read it in its place and most do not.
    Urgent,
}

impl Cause {
    /// Its stable name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Conflict => "conflict",
            Self::TooLong => "too-long",
            Self::TooManyRecords => "too-many-records",
            Self::TooManySegments => "too-many-segments",
            Self::TableFull => "table-full",
            Self::TimedOut => "timed-out",
            Self::Malformed => "malformed",
            Self::Truncated => "truncated",
            Self::BadChecksum => "bad-checksum",
            Self::TooManyValues => "too-many-values",
            Self::Urgent => "urgent",
        }
    }
}

/// In the order of [`abi::hello::Cause`]'s numbers, from one on.
const CAUSES: [Cause; abi::hello::Cause::NAMES.len() - 1] = [
    Cause::Gap,
    Cause::Conflict,
    Cause::TooLong,
    Cause::TooManyRecords,
    Cause::TooManySegments,
    Cause::TableFull,
    Cause::TimedOut,
    Cause::Malformed,
    Cause::Truncated,
    Cause::BadChecksum,
    Cause::TooManyValues,
    Cause::Urgent,
];

impl Cause {
    /// The cause that the program gave; `None` if it gave none.
    #[must_use]
    pub fn of_kernel(cause: abi::hello::Cause) -> Option<Self> {
        CAUSES.get(usize::from(cause.0).checked_sub(1)?).copied()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
