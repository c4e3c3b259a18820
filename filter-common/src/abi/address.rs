//! What the address policy says about an address.

use super::assert_layout;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The answer of one look-up in the address policy.
///
/// *Shape*: 4 bytes, the value of the `POLICY_V4` and `POLICY_V6` maps.
///
/// *Concurrency*: written by the daemon alone; the kernel replaces an element whole, so
/// a packet sees the old class or the new one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct AddressClass {
    /// What to do: [`AddressClass::ALLOW`] or [`AddressClass::BLOCK`]. A number that
    /// the program doesn't know is treated as no rule.
    pub action: u8,
    /// A [`Mode`](super::Mode) as a byte.
    pub mode: u8,
    /// The list that the class came from, a [`ListId`] as a number.
    pub list: u16,
}

assert_layout!(AddressClass, size 4, align 2, action at 0, mode at 1, list at 2);

impl AddressClass {
    /// The packet passes and the walk ends.
    pub const ALLOW: u8 = 1;
    /// The packet is dropped.
    pub const BLOCK: u8 = 2;
}

/// A list's number within the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListId(pub u16);

impl ListId {
    /// The built-in allowlist.
    pub const ALLOW: Self = Self(1);
    /// The built-in blocklist.
    pub const BLOCK: Self = Self(2);
}

/// Prefixes the policy holds per family.
///
/// At the limit the daemon refuses the command that would cross it; nothing is evicted.
pub const POLICY_CAPACITY: u32 = 1_500_000;
