//! What is remembered of fingerprints and of the clients that show them.
//!
//! Only hellos that are evidence are remembered: forged ones change nothing here, unless the
//! operator has switched that off.

use super::assert_layout;
use super::client::ClientKey;
use super::counter::Verdict;
use super::rule::Parts;
use crate::hash::mix;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Registers of [`FingerprintRecord::clients`], a power of two.
pub const REGISTERS: usize = 64;

/// What is remembered of a JA4, or of a cause for which hellos have none.
///
/// *Shape*: 128 bytes, the value of the `FINGERPRINTS` map; its key is what a rule's
/// [`Parts`] are. Times are on the clock of `bpf_ktime_get_ns`.
///
/// *Concurrency*: CPUs add to the counts atomically; the rest are plain stores, of which two at
/// once may lose one. It is a report and decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct FingerprintRecord {
    /// When the first hello came.
    pub first_ns: u64,
    /// When the last did.
    pub last_ns: u64,
    /// How many there were.
    pub hellos: u64,
    /// How many of these a rule ended.
    pub ended: u64,
    /// How many a rule would have ended, were it or the host not in shadow.
    pub would_end: u64,
    /// A bit for each wire order, by its hash: orders of ciphers and extensions, groups and
    /// point formats, which are what a JA3 tells apart.
    pub wires: u64,
    /// Clients, by their hash, as `HyperLogLog` counts them.
    pub clients: [u8; REGISTERS],
    /// Zeroes.
    pub reserved: [u64; 2],
}

assert_layout!(FingerprintRecord, size 128, align 8, hellos at 16, wires at 40, clients at 48);

impl Default for FingerprintRecord {
    fn default() -> Self {
        Self::new_zeroed()
    }
}

/// A hello, as records count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it came.
    pub now_ns: u64,
    /// A keyed hash of its client.
    pub client: u64,
    /// A keyed hash of its fingerprint.
    pub name: u64,
    /// A keyed hash of what its JA3 is made of.
    pub wire: u64,
    /// What a rule did about it.
    pub verdict: Verdict,
}

impl Seen {
    /// A hello of a client, at no time.
    #[inline(always)]
    #[must_use]
    pub const fn of(
        secret: u64,
        parts: &Parts,
        client: &ClientKey,
        wire: u64,
        verdict: Verdict,
    ) -> Self {
        let client = mix(mix(mix(secret, client.high), client.low), secret);
        Self { now_ns: 0, client, name: parts.name(secret), wire, verdict }
    }

    /// The same at a time.
    #[inline(always)]
    #[must_use]
    pub const fn at(self, now_ns: u64) -> Self {
        Self { now_ns, ..self }
    }
}

impl FingerprintRecord {
    /// Notes a hello, all but the counts.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a mask leaves six bits")]
    pub fn note(&mut self, seen: &Seen) {
        if self.first_ns == 0 {
            self.first_ns = seen.now_ns;
        }
        self.last_ns = seen.now_ns;
        self.wires |= 1 << (seen.wire >> 58);
        let place = seen.client as usize & (REGISTERS - 1);
        // The first bit that is set among those that don't say the place; the last one makes
        // sure that there is one.
        let rank = (seen.client >> 6 | 1 << 57).trailing_zeros().to_le_bytes()[0] + 1;
        if let Some(register) = self.clients.get_mut(place)
            && *register < rank
        {
            *register = rank;
        }
    }
}

/// JA4s and causes that are remembered.
///
/// At the limit a new one isn't, and is counted. The daemon makes room before that: it forgets
/// those with the fewest hellos first, and of these the ones that weren't seen for longest, so
/// that who invents fingerprints pushes out his own.
pub const FINGERPRINT_CAPACITY: u32 = 16_384;

/// What is remembered of a client.
///
/// *Shape*: 80 bytes, the value of the `CLIENT_HELLOS` map, whose key is a
/// [`ClientKey`].
///
/// *Concurrency*: plain stores; of two CPUs that note a client's hellos at once, one may be
/// lost.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct ClientRecord {
    /// When its last hello came, on the clock of `bpf_ktime_get_ns`.
    pub last_ns: u64,
    /// How many came.
    pub hellos: u32,
    /// Where the next fingerprint goes that isn't there yet.
    pub next: u32,
    /// Keyed hashes of its last fingerprints; zero is none.
    pub names: [u64; CLIENT_FINGERPRINTS],
    /// A bit for each wire order of that fingerprint, by its hash.
    pub wires: [u64; CLIENT_FINGERPRINTS],
}

assert_layout!(ClientRecord, size 80, align 8, names at 16, wires at 48);

/// Fingerprints that are remembered of a client, a power of two. One more takes the place of
/// the one that came first.
pub const CLIENT_FINGERPRINTS: usize = 4;

impl ClientRecord {
    /// Notes a hello.
    #[inline(always)]
    pub fn note(&mut self, seen: &Seen) {
        self.last_ns = seen.now_ns;
        self.hellos = self.hellos.saturating_add(1);
        let bit = 1 << (seen.wire >> 58);
        for (name, wires) in self.names.iter().zip(&mut self.wires) {
            if *name == seen.name {
                *wires |= bit;
                return;
            }
        }
        let place = self.next as usize & (CLIENT_FINGERPRINTS - 1);
        self.next = self.next.wrapping_add(1);
        (self.names[place], self.wires[place]) = (seen.name, bit);
    }
}

/// Clients that are remembered. A full map forgets the one that wasn't seen for longest.
pub const CLIENT_CAPACITY: u32 = 65_536;

#[cfg(test)]
mod tests;
