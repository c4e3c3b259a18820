//! What is in force about an address: verdicts of every width that hold it.
//!
//! An index keeps look-ups few. All widths of one IPv4 /24 or one IPv6 /48 fall into one
//! bucket, which says what widths there are verdicts of: none, and nothing is looked up.

use crate::abi::Mode;
use crate::abi::client::ClientVerdict;
use crate::abi::width::{INDEX_BITS, Width};
use crate::decide::Tables;
use crate::hash::mix;
use crate::limit::Limits as _;
use crate::wire::address::Address;

/// The bucket of an address, and of every prefix that a verdict can be about and that
/// holds it.
#[inline(always)]
#[must_use]
pub const fn bucket(secret: u64, address: &Address) -> u32 {
    let widest = if address.is_v4() { address.low >> 8 } else { address.high >> 16 };
    let [a, b, c, d, ..] = mix(secret, widest).to_be_bytes();
    u32::from_be_bytes([a, b, c, d]) >> (32 - INDEX_BITS)
}

/// What verdicts in force say together.
///
/// *Shape*: a set of actions that are enforced, and above it a set of those in shadow. A
/// union, so that neither a narrow verdict hides a wide one, nor a shadow one that acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Standing(u64);

impl Standing {
    const SHADOW_SHIFT: u64 = 2;
    const BLOCK: u64 = ClientVerdict::BLOCK as u64;
    const THROTTLE: u64 = ClientVerdict::THROTTLE as u64;

    /// What one verdict says.
    #[inline(always)]
    #[must_use]
    pub const fn of(verdict: &ClientVerdict) -> Self {
        if verdict.action > ClientVerdict::THROTTLE {
            return Self(0);
        }
        let shadow = verdict.mode == Mode::SHADOW.0;
        Self((verdict.action as u64) << if shadow { Self::SHADOW_SHIFT } else { 0 })
    }

    /// What both say.
    #[inline(always)]
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a block acts. Nothing else matters then.
    #[inline(always)]
    #[must_use]
    pub const fn blocks(self) -> bool {
        self.0 & Self::BLOCK != 0
    }

    /// Whether there is a block; its mode is [`Standing::block_mode`].
    #[inline(always)]
    #[must_use]
    pub const fn is_blocked(self) -> bool {
        self.0 & (Self::BLOCK | Self::BLOCK << Self::SHADOW_SHIFT) != 0
    }

    /// Whether there is a throttle that no block stands before.
    #[inline(always)]
    #[must_use]
    pub const fn is_throttled(self) -> bool {
        !self.blocks() && self.0 & (Self::THROTTLE | Self::THROTTLE << Self::SHADOW_SHIFT) != 0
    }

    /// The mode of the strongest block.
    #[inline(always)]
    #[must_use]
    pub const fn block_mode(self) -> u8 {
        self.mode(Self::BLOCK)
    }

    /// Whether that throttle acts.
    #[inline(always)]
    #[must_use]
    pub const fn throttles(self) -> bool {
        self.0 & Self::THROTTLE != 0
    }

    #[inline(always)]
    const fn mode(self, action: u64) -> u8 {
        if self.0 & action == 0 { Mode::SHADOW.0 } else { Mode::ENFORCE.0 }
    }
}

/// The time, read when it is first needed, and once.
pub(crate) struct Clock<'a, T> {
    tables: &'a T,
    now_ns: u64,
}

impl<'a, T: Tables> Clock<'a, T> {
    #[inline(always)]
    pub(crate) const fn new(tables: &'a T) -> Self {
        Self { tables, now_ns: 0 }
    }

    #[inline(always)]
    pub(crate) fn now_ns(&mut self) -> u64 {
        if self.now_ns == 0 {
            self.now_ns = self.tables.limits().precise_ns();
        }
        self.now_ns
    }

    /// What was read; zero if nothing was.
    #[inline(always)]
    pub(crate) const fn read_ns(&self) -> u64 {
        self.now_ns
    }
}

/// Looks up every width that the address's bucket names, the narrowest first, until a
/// block that acts is found.
#[inline(always)]
pub(crate) fn standing<T: Tables>(
    tables: &T,
    secret: u64,
    address: &Address,
    clock: &mut Clock<T>,
) -> Standing {
    let widths = tables.verdict_widths(bucket(secret, address)) & Width::bits_of(address);
    let mut search = Search { tables, address, widths, clock, standing: Standing::default() };
    if widths != 0 {
        // Not a loop over an array, which would be copied to the stack first.
        search.look_up(Width::HOST);
        search.look_up(Width::V4_24);
        search.look_up(Width::V6_64);
        search.look_up(Width::V6_56);
        search.look_up(Width::V6_48);
    }
    search.standing
}

/// The search for what holds an address.
struct Search<'a, 'b, T> {
    tables: &'a T,
    address: &'a Address,
    widths: u64,
    clock: &'a mut Clock<'b, T>,
    standing: Standing,
}

impl<T: Tables> Search<'_, '_, T> {
    #[inline(always)]
    fn look_up(&mut self, width: Width) {
        if self.widths & width.bit == 0 || self.standing.blocks() {
            return;
        }
        let verdict = self.tables.verdict(&width.key(self.address));
        if verdict.action != ClientVerdict::NONE && verdict.expires_ns > self.clock.now_ns() {
            self.standing = self.standing.with(Standing::of(&verdict));
        }
    }
}

#[cfg(test)]
mod tests;
