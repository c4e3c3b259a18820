//! What became of a QUIC client's hello.

use super::connection_id::ConnectionId;
use super::version::Version;
use crate::fingerprint::{self, Cause, Flow, Hello};
use filter_common::abi::counter::Verdict;

/// A hello that was put together, or was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Who said it to whom.
    pub flow: Flow,
    /// The connection's number, in the order in which they were opened.
    pub connection: u64,
    /// The connection ID that the client chose for the server at first.
    pub destination: ConnectionId,
    /// The version of QUIC.
    pub version: Version,
    /// Datagrams that it is made of; those that were there, if it has no fingerprint.
    pub datagrams: u32,
    /// Always false: Initial packets are protected with keys that anyone can derive, and
    /// nothing in them shows that their sender gets what is sent to that address.
    pub proven: bool,
    /// When the last packet came that had to do with it.
    pub time_ns: u64,
    /// The hello, or why there is none.
    ///
    /// *Shape*: of the causes, [`Cause::TooLong`] stands for a message of more than
    /// [`MAX_MESSAGE_BYTES`](super::MAX_MESSAGE_BYTES) and [`Cause::TooManySegments`] for
    /// more than [`MAX_PACKETS`](super::MAX_PACKETS) or [`MAX_FRAMES`](super::MAX_FRAMES).
    /// A hello may be followed by [`Cause::Conflict`] for the same connection: its
    /// fingerprint doesn't count then.
    pub result: Result<Hello, Cause>,
}

impl From<Outcome> for fingerprint::Outcome {
    /// The same as if it had come over TCP, with the connection's number in the place of
    /// the stream's start.
    fn from(outcome: Outcome) -> Self {
        let Outcome { flow, connection, datagrams, proven, time_ns, result, .. } = outcome;
        let stream_start = u32::try_from(connection & u64::from(u32::MAX)).unwrap_or_default();
        Self {
            flow,
            stream_start,
            segments: datagrams,
            proven,
            time_ns,
            wire: 0,
            syn: None,
            is_first: false,
            verdict: Verdict::PASS,
            result,
        }
    }
}
