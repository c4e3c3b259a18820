//! Addresses of a family as numbers.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::fmt::Debug;
use std::hash::Hash;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An address as a number: `u32` for IPv4, `u128` for IPv6.
pub trait Bits: Copy + Ord + Hash + Debug + Send + Sync + 'static {
    /// Bits of an address.
    const WIDTH: u8;
    /// The first address.
    const FIRST: Self;
    /// The last address.
    const LAST: Self;

    /// A window of 32 bits, counted from the front.
    fn window(self, index: u32) -> u32;
    /// The address with this first window and zeroes behind it.
    fn from_window(first: u32) -> Self;
    /// Whether everything behind a window is zero.
    fn ends_with(self, index: u32) -> bool;
    /// The address without its host bits.
    #[must_use]
    fn network(self, len: u8) -> Self;
    /// The last address of a prefix.
    #[must_use]
    fn last(self, len: u8) -> Self;
    /// The address after this one.
    fn next(self) -> Option<Self>;
    /// The prefix; a length that is too long is cut.
    fn prefix(self, len: u8) -> IpNet;
}

macro_rules! bits {
    ($number:ty, $address:ty, $net:ty) => {
        impl Bits for $number {
            const WIDTH: u8 = <$number>::BITS.to_le_bytes()[0];
            const FIRST: Self = <$number>::MIN;
            const LAST: Self = <$number>::MAX;

            fn window(self, index: u32) -> u32 {
                let bytes = self.to_be_bytes();
                let (windows, _) = bytes.as_chunks::<4>();
                let at = usize::try_from(index).unwrap_or(usize::MAX);
                windows.get(at).map_or(0, |window| u32::from_be_bytes(*window))
            }

            fn from_window(first: u32) -> Self {
                Self::from(first) << (Self::BITS - 32)
            }

            fn ends_with(self, index: u32) -> bool {
                self.unbounded_shl(32 * (index + 1)) == 0
            }

            fn network(self, len: u8) -> Self {
                self & !Self::MAX.unbounded_shr(u32::from(len))
            }

            fn last(self, len: u8) -> Self {
                self | Self::MAX.unbounded_shr(u32::from(len))
            }

            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }

            fn prefix(self, len: u8) -> IpNet {
                let address = <$address>::from_bits(self);
                <$net>::new_assert(address, len.min(Self::WIDTH)).into()
            }
        }
    };
}

bits!(u32, Ipv4Addr, Ipv4Net);
bits!(u128, Ipv6Addr, Ipv6Net);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_counted_from_the_front() {
        let address = 0x2001_0db8_0000_0001_0000_0002_0000_0003_u128;
        assert_eq!([0, 1, 2, 3].map(|i| address.window(i)), [0x2001_0db8, 1, 2, 3]);
        assert_eq!(7_u32.window(0), 7);
        assert!((address & !0xffff_ffff).ends_with(2) && !address.ends_with(2));
        assert!(address.ends_with(3) && 9_u32.ends_with(0));
    }

    #[test]
    fn a_prefix_runs_from_its_network_to_its_last_address() {
        assert_eq!(
            (0x0a01_0203_u32.network(8), 0x0a01_0203_u32.last(8)),
            (0x0a00_0000, 0x0aff_ffff)
        );
        assert_eq!((5_u32.network(0), 5_u32.last(0)), (0, u32::MAX));
        assert_eq!((5_u128.network(128), 5_u128.last(128)), (5, 5));
    }
}
