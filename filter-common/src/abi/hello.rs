//! `ClientHello`s on their way through the program: where their segments are put together, and
//! what the daemon hears of them.

use super::assert_layout;
use super::counter::Verdict;
use super::syn::SynHeaders;
use crate::wire::address::Address;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Bytes of a stream that a hello and the headers of its TLS records may take: a power of
/// two.
///
/// A longer one is unfingerprintable ("too long"). A browser's takes two thousand.
pub const HELLO_WINDOW: u32 = 16_384;

/// Bytes that are copied out of a packet at once.
pub const COPY_LEN: u32 = 2048;

/// Bytes of a segment that are looked at: a window and the longest TCP header.
pub const SEGMENT_CAPACITY: u32 = HELLO_WINDOW + 60;

/// The bytes of a stream, from where its hello starts; the last copy may reach over the
/// window.
pub type StreamBytes = [u8; (HELLO_WINDOW + COPY_LEN) as usize];

/// Sets of hellos, a power of two.
pub const HELLO_SETS: u32 = 256;

/// Hellos of a set, a power of two.
pub const HELLO_WAYS: u32 = 4;

/// Elements of the `HELLO_BODIES` map.
pub const HELLO_SLOTS: u32 = HELLO_SETS * HELLO_WAYS;

/// How far a hello is put together.
///
/// *Shape*: 128 bytes. Positions count from [`start`](Self::start).
///
/// *Concurrency*: a CPU writes it while it holds its set. The daemon only reads it, and tells
/// hellos that have been unfinished for too long.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct HelloHead {
    /// The flow's hash; zero if nothing was ever here.
    pub tag: u64,
    /// When its first segment came, on the clock of `bpf_ktime_get_coarse_ns`.
    pub since_ns: u64,
    /// The client.
    pub source: Address,
    /// The server.
    pub destination: Address,
    /// The client's port.
    pub source_port: u16,
    /// The server's port.
    pub destination_port: u16,
    /// Sequence number of its first byte.
    pub start: u32,
    /// [`HelloHead::OPEN`] or another of these.
    pub state: u32,
    /// The first byte that is missing.
    pub prefix: u32,
    /// Behind the last byte that is there.
    pub reach: u32,
    /// How many bytes have to be there before it is worth looking again; behind the hello's
    /// last byte, once that is known.
    pub needed: u32,
    /// Segments with bytes that were new.
    pub segments: u32,
    /// Where the TLS record starts that is to be looked at.
    pub record_at: u32,
    /// Whole records in front of it.
    pub records: u32,
    /// Bytes of the message in these.
    pub message_len: u32,
    /// The message's first bytes, up to six of them.
    pub opening: u64,
    /// How many of these there are.
    pub opened: u32,
    /// Bytes that came with a wrong checksum: from here
    pub spoiled_from: u32,
    /// up to here.
    pub spoiled_to: u32,
    /// Not zero if [`HelloBody::there`] was written to.
    pub scattered: u32,
    /// What a rule did about it: a [`Verdict`], or zero.
    pub refusal: u32,
    /// Not zero if it is known to be the first of its connection.
    pub is_first: u32,
    /// The connection's [`Received::server`](crate::hello::Received); zero if it isn't known.
    pub server: u32,
    /// Hellos of its connection in front of it, as far as they are known.
    pub earlier: u32,
}

assert_layout!(
    HelloHead, size 128, align 8, since_ns at 8, source at 16, destination at 32,
    source_port at 48, start at 52, state at 56, opening at 88
);

impl HelloHead {
    /// Nothing is here.
    pub const FREE: u32 = 0;
    /// The hello isn't all there.
    pub const OPEN: u32 = 1;
    /// It is, and what was looked at ends at [`needed`](Self::needed). It is kept to
    /// recognise conflicts: the other version of the bytes may be the one that the server
    /// sees.
    pub const DONE: u32 = 2;
    /// There is no fingerprint, and there won't be one. What still comes is swallowed.
    pub const CLOSED: u32 = 3;
}

/// Hellos among which a flow finds its own.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct HelloSet {
    /// Not zero while a CPU works on one of them.
    pub busy: u64,
    /// The hellos; their bodies lie in `HELLO_BODIES`.
    pub ways: [HelloHead; HELLO_WAYS as usize],
}

assert_layout!(HelloSet, size 520, align 8, ways at 8);

/// The bytes of a hello.
///
/// *Shape*: the record's place is in front of the bytes, so that both are handed to the
/// daemon as one.
#[repr(C)]
pub struct HelloBody {
    /// A bit for each byte that came before one in front of it did.
    pub there: [u64; (HELLO_WINDOW / 64) as usize],
    /// What is told of it.
    pub record: HelloRecord,
    /// The stream.
    pub bytes: StreamBytes,
}

/// Characters of a JA4.
pub const JA4_LEN: usize = 36;

/// What the daemon is told of a ClientHello.
///
/// *Shape*: 168 bytes, followed by as many bytes of the stream as
/// [`stream_len`](Self::stream_len) says: a header of a TLS record, and the handshake
/// message, whatever records it came in. Integers are in the host's byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HelloRecord {
    /// When its last segment came, on the clock of `bpf_ktime_get_ns`.
    pub time_ns: u64,
    /// The client.
    pub source: Address,
    /// The server.
    pub destination: Address,
    /// The client's port.
    pub source_port: u16,
    /// The server's port.
    pub destination_port: u16,
    /// Sequence number of its first byte.
    pub start: u32,
    /// The interface it came in by.
    pub ifindex: u32,
    /// TCP segments that it is made of.
    pub segments: u32,
    /// Bytes of the stream that follow; zero if there is no fingerprint.
    pub stream_len: u32,
    /// Why there is none: a [`Cause`], or zero.
    pub cause: Cause,
    /// [`HelloRecord::PROVEN`] or zero.
    pub evidence: u8,
    /// What a rule did about it: pass, drop, would-drop or reset.
    pub verdict: Verdict,
    /// Zero.
    pub reserved: u8,
    /// The fingerprint, if there is one.
    pub ja4: [u8; JA4_LEN],
    /// Not zero if it is known to be the first of its connection.
    pub is_first: u32,
    /// A keyed hash of what its JA3 is made of.
    pub wire: u64,
    /// What its connection started with.
    pub syn: SynHeaders,
}

assert_layout!(
    HelloRecord, size 168, align 8, source at 8, destination at 24, source_port at 40, start at 44,
    cause at 60, ja4 at 64, syn at 112
);

impl Default for HelloRecord {
    fn default() -> Self {
        Self::new_zeroed()
    }
}

impl HelloRecord {
    /// A local TCP socket waits for these very bytes, so nobody has written the source
    /// address who isn't there.
    pub const PROVEN: u8 = 1;
}

/// Why a hello has no fingerprint. Each is a signal of its own: no ordinary client does any
/// of this.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(C)]
pub struct Cause(pub u8);

macro_rules! causes {
    ($($(#[$doc:meta])* $constant:ident = $number:literal, $name:literal;)*) => {
        impl Cause {
            $($(#[$doc])* pub const $constant: Self = Self($number);)*
            /// Their names, by number.
            pub const NAMES: [&'static str; [$($number),*].len()] = [$($name),*];
        }
    };
}

causes! {
    /// There is a fingerprint.
    NONE = 0, "none";
    /// Bytes are missing in front of some that came.
    GAP = 1, "gap";
    /// Two segments disagree about the same bytes; which of them the server believes can't
    /// be known.
    CONFLICT = 2, "conflict";
    /// It takes more bytes than [`HELLO_WINDOW`].
    TOO_LONG = 3, "too-long";
    /// It lies in more TLS records than [`MAX_RECORDS`].
    TOO_MANY_RECORDS = 4, "too-many-records";
    /// It lies in more segments than [`MAX_SEGMENTS`].
    TOO_MANY_SEGMENTS = 5, "too-many-segments";
    /// It had to make room for newer ones, or there was none.
    TABLE_FULL = 6, "table-full";
    /// Its end never came.
    TIMED_OUT = 7, "timed-out";
    /// Its lengths contradict one another, or its records are interrupted.
    MALFORMED = 8, "malformed";
    /// The capture holds only the start of a segment.
    TRUNCATED = 9, "truncated";
    /// What is missing came with a wrong checksum only.
    BAD_CHECKSUM = 10, "bad-checksum";
    /// Its lists have more values than [`MAX_VALUES`](crate::ja4::MAX_VALUES).
    TOO_MANY_VALUES = 11, "too-many-values";
    /// A byte in it is urgent (TCP URG): some servers read it in its place and most do not.
    URGENT = 12, "urgent";
}

impl Cause {
    /// The stable name that operators see.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.get(usize::from(self.0)).copied().unwrap_or("unknown")
    }
}

/// TLS records that a hello may be split over. Ordinary clients use one.
pub const MAX_RECORDS: u32 = 64;

/// TCP segments with new bytes that a hello may take and not be whole. Ordinary clients use one
/// or two.
pub const MAX_SEGMENTS: u32 = 64;

/// Nanoseconds from a hello's first segment after which it is given up.
pub const HELLO_TIMEOUT_NS: u64 = 10_000_000_000;

/// Nanoseconds for which nobody else may take an unfinished hello's place.
///
/// A hello's segments leave together; one that was lost comes again within a second. Whoever
/// finds no place is told as [`Cause::TABLE_FULL`]: with a thousand half hellos a second, on as
/// many connections, a third of the others.
pub const HELLO_GRACE_NS: u64 = 1_000_000_000;

/// Bytes of the ring buffer, a power of two.
///
/// When it is full the daemon isn't told of a hello, and the loss is counted; the packet's
/// verdict is the same.
pub const RING_BYTES: u32 = 8 << 20;

/// Fingerprints whose sums are remembered.
pub const KNOWN_CAPACITY: u32 = 16_384;
