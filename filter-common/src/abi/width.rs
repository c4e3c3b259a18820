//! The widths that a verdict can have, the key that says which, and the index that says
//! which are in use.

use super::assert_layout;
use super::client::ClientKey;
use crate::wire::address::Address;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Whom a verdict is about: a prefix of one of the [`Width`]s.
///
/// *Shape*: 24 bytes, the key of the `VERDICTS` map. The prefix's first address as
/// [`Address`] has it, IPv4 mapped, and its length. With the length in it 192.0.2.0/24
/// isn't 192.0.2.0/32, and with the mapping no IPv4 prefix is an IPv6 one.
#[derive(
    Clone,
    Copy,
    Debug,
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
pub struct VerdictKey {
    /// The first eight bytes of the address.
    pub high: u64,
    /// The last eight bytes.
    pub low: u64,
    /// A [`Width::len`].
    pub len: u64,
}

assert_layout!(VerdictKey, size 24, align 8, high at 0, low at 8, len at 16);

impl VerdictKey {
    /// The prefix's first address.
    #[inline(always)]
    #[must_use]
    pub const fn address(&self) -> Address {
        Address { high: self.high, low: self.low }
    }
}

impl From<ClientKey> for VerdictKey {
    /// A client is an IPv4 address or an IPv6 /64.
    fn from(client: ClientKey) -> Self {
        let address = Address { high: client.high, low: client.low };
        let width = if address.is_v4() { Width::HOST } else { Width::V6_64 };
        width.key(&address)
    }
}

/// How much of an address a verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width {
    /// The length of the prefix; of an IPv4 prefix that of its mapped form, 96 more.
    pub len: u64,
    /// Its bit in a bucket of the index.
    pub bit: u64,
    high_mask: u64,
    low_mask: u64,
}

impl Width {
    /// A whole address: an IPv4 /32 or an IPv6 /128.
    pub const HOST: Self = Self::new(0, 128);
    /// An IPv4 /24.
    pub const V4_24: Self = Self::new(1, 120);
    /// An IPv6 /64.
    pub const V6_64: Self = Self::new(2, 64);
    /// An IPv6 /56.
    pub const V6_56: Self = Self::new(3, 56);
    /// An IPv6 /48.
    pub const V6_48: Self = Self::new(4, 48);
    /// All of them, the narrowest first.
    pub const ALL: [Self; 5] = [Self::HOST, Self::V4_24, Self::V6_64, Self::V6_56, Self::V6_48];

    const V4_BITS: u64 = Self::HOST.bit | Self::V4_24.bit;
    const V6_BITS: u64 = Self::HOST.bit | Self::V6_64.bit | Self::V6_56.bit | Self::V6_48.bit;

    const fn new(number: u32, len: u32) -> Self {
        Self {
            len: len as u64,
            bit: 1 << number,
            high_mask: if len >= 64 { u64::MAX } else { u64::MAX << (64 - len) },
            low_mask: if len <= 64 { 0 } else { u64::MAX << (128 - len) },
        }
    }

    /// The bits of the widths that an address of this family can have.
    #[inline(always)]
    #[must_use]
    pub const fn bits_of(address: &Address) -> u64 {
        if address.is_v4() { Self::V4_BITS } else { Self::V6_BITS }
    }

    /// The key of the prefix of this width that holds the address.
    #[inline(always)]
    #[must_use]
    pub const fn key(&self, address: &Address) -> VerdictKey {
        VerdictKey {
            high: address.high & self.high_mask,
            low: address.low & self.low_mask,
            len: self.len,
        }
    }
}

/// Buckets of the index, a byte each: a mask of [`Width::bit`]s.
///
/// *Shape*: eight to an element of the `VERDICT_INDEX` map, the first in the lowest byte.
/// 256 KiB, so that a core's cache holds it; with as many verdicts as there is room for,
/// each in another bucket, four clients of five still have an empty one.
pub const INDEX_BUCKETS: u32 = 1 << INDEX_BITS;

/// Bits of a bucket's number.
pub const INDEX_BITS: u32 = 18;

/// Elements of the `VERDICT_INDEX` map.
pub const INDEX_WORDS: u32 = INDEX_BUCKETS / 8;
