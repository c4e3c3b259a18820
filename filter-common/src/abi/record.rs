//! What the program hands to the daemon through the ring buffer.

use super::assert_layout;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A TCP segment that may hold a piece of a ClientHello.
///
/// *Shape*: 64 bytes, followed by [`copied`](Self::copied) bytes that start with the TCP
/// header. Integers are in the host's byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SegmentRecord {
    /// When the program saw it, on the clock of `bpf_ktime_get_ns`.
    pub time_ns: u64,
    /// Source address, as two numbers; IPv4 as `::ffff:a.b.c.d`.
    pub source: [u64; 2],
    /// Destination address, likewise.
    pub destination: [u64; 2],
    /// Sequence number at which the hello starts or may start.
    pub stream_start: u32,
    /// The interface it came in by.
    pub ifindex: u32,
    /// Bytes of TCP header and payload, as the IP header counts them.
    pub segment_len: u32,
    /// How many of those follow. At most [`RECORD_CAPACITY`].
    pub copied: u32,
    /// [`SegmentRecord::PROVEN`] or zero.
    pub evidence: u32,
    /// Zero.
    pub reserved: u32,
}

assert_layout!(SegmentRecord, size 64, align 8, time_ns at 0, source at 8, destination at 24, stream_start at 40, copied at 52, evidence at 56);

impl SegmentRecord {
    /// An established local TCP socket exists for the four-tuple, so the source address
    /// has completed a handshake.
    pub const PROVEN: u32 = 1;
}

/// Bytes of a stream that a hello and its TLS record headers may take.
///
/// What would lie beyond is not copied; such a hello is unfingerprintable ("too long").
pub const HELLO_WINDOW: u32 = 20_480;

/// Bytes copied of one segment: a window and the longest TCP header.
pub const RECORD_CAPACITY: u32 = HELLO_WINDOW + 60;

/// Bytes of the ring buffer, a power of two.
///
/// When it is full a segment is not copied and the loss is counted; the packet's verdict
/// is the same.
pub const RING_BYTES: u32 = 8 << 20;
