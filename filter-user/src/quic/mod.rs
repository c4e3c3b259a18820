//! Fingerprints of QUIC clients, out of the Initial packets that they send.
//!
//! Nothing here does I/O or reads a clock: datagrams and times go in, outcomes come out.
//!
//! The keys of Initial packets derive from what stands in them, so that whoever can send
//! a datagram can send a hello, with any source address. No outcome is
//! [proven](Outcome::proven), and no verdict may rest on one alone.
//!
//! *Source*: RFC 9000 (packets and frames), RFC 9001 section 5 (their protection),
//! RFC 9369 (version 2).

mod assembler;
pub(crate) mod checksum;
mod connection;
mod connection_id;
mod datagram;
mod frame;
mod outcome;
mod packet;
mod protection;
mod queue;
mod reader;
mod table;
mod told;
mod version;

pub use assembler::{Assembler, Counts, MAX_OPENED, MIN_DATAGRAM_BYTES};
pub use connection::{MAX_FRAMES, MAX_MESSAGE_BYTES, MAX_PACKETS};
pub use connection_id::ConnectionId;
pub use datagram::{Datagram, may_hold_initial};
pub use outcome::Outcome;
pub use table::{LINGER_NS, MAX_HELD_BYTES, MAX_LINGERING, MAX_PENDING, MAX_PER_FLOW, TIMEOUT_NS};
pub use told::RecordError;
pub use version::Version;

#[cfg(test)]
mod tests;
