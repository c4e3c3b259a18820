//! Addresses of both families in one form.

use crate::abi::client::ClientKey;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A source or destination address.
///
/// *Shape*: two numbers, IPv4 as `::ffff:a.b.c.d`. Such an address in an IPv6 header is
/// taken for the IPv4 address that it names; the stack behind us drops it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Address {
    /// The first eight bytes.
    pub high: u64,
    /// The last eight bytes.
    pub low: u64,
}

const MAPPED: u64 = 0xffff_0000_0000;

impl Address {
    /// An IPv4 address.
    #[inline(always)]
    #[must_use]
    pub const fn v4(address: u32) -> Self {
        Self { high: 0, low: MAPPED | address as u64 }
    }

    /// Whether it is an IPv4 address.
    #[inline(always)]
    #[must_use]
    pub const fn is_v4(&self) -> bool {
        self.high == 0 && self.low >> 32 == MAPPED >> 32
    }

    /// The last four bytes, which are an IPv4 address's own.
    #[inline(always)]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the upper half is the mapping")]
    pub const fn tail(&self) -> u32 {
        self.low as u32
    }

    /// It in network order, in words of four bytes.
    #[inline(always)]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "halves of a word")]
    pub const fn network_words(&self) -> [u32; 4] {
        let Self { high, low } = *self;
        [
            ((high >> 32) as u32).to_be(),
            (high as u32).to_be(),
            ((low >> 32) as u32).to_be(),
            (low as u32).to_be(),
        ]
    }

    /// The client that this address belongs to: itself in IPv4, its /64 in IPv6.
    #[inline(always)]
    #[must_use]
    pub const fn client(&self) -> ClientKey {
        let low = if self.is_v4() { self.low } else { 0 };
        ClientKey { high: self.high, low }
    }
}
