//! Fingerprints of TLS clients, and putting their hellos together from segments.
//!
//! Nothing here does I/O or reads a clock: segments and times go in, outcomes come out.
//! The daemon feeds it from the ring buffer, `capture` from files.

mod assembler;
mod estimate;
mod forms;
mod hex;
mod ja3;
mod ja4;
mod list;
mod name;
mod outcome;
mod piece;
mod segment;
mod stream;
mod tls_record;
mod told;

pub use assembler::{Assembler, LINGER_NS, MAX_HELD_BYTES, MAX_LINGERING, MAX_PENDING, TIMEOUT_NS};
pub use estimate::{clients, wire_orders};
pub use forms::Forms;
pub use ja3::{Ja3, Ja3Error};
pub use ja4::{Ja4, Ja4Error, Transport};
pub use list::Lists;
pub use name::{alpn, server_name};
pub use outcome::{Cause, Hello, Outcome};
pub use segment::{Flow, Segment, SegmentError};
pub use stream::MAX_SEGMENTS;
pub use tls_record::MAX_RECORDS;
pub use told::RecordError;

pub(crate) use piece::Pieces;

use filter_common::wire::client_hello::HelloError;

/// What is told of a client by its ClientHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// JA4.
    pub ja4: Ja4,
    /// JA3.
    pub ja3: Ja3,
}

impl Fingerprint {
    /// Fingerprints a ClientHello that came over TCP.
    ///
    /// *Shape*: `message` is the whole handshake message, its four header bytes included.
    ///
    /// *Errors*: [`HelloError`]; the message has no fingerprint then, and no other tool's
    /// opinion of it should be trusted either.
    pub fn of(message: &[u8]) -> Result<Self, HelloError> {
        Lists::parse(message).map(|lists| Self::of_lists(&lists))
    }

    /// Fingerprints a ClientHello that came over TCP and was read already.
    #[must_use]
    pub fn of_lists(lists: &Lists<'_>) -> Self {
        Self::over(lists, Transport::Tcp)
    }

    /// Fingerprints a ClientHello that came over the given transport.
    #[must_use]
    pub fn over(lists: &Lists<'_>, transport: Transport) -> Self {
        Self { ja4: Ja4::of(lists, transport), ja3: Ja3::of(lists) }
    }
}

#[cfg(test)]
mod tests;
