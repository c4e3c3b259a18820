//! What leads from one node of an image to the next.

use crate::abi::address::AddressClass;

/// Where a walk goes next.
///
/// *Shape*: kind in bits 0 and 1; bit 2 says that the next window comes first. A direct
/// node has its number of bits in bits 3 to 7, a line in the rest; a leaf has its line
/// there too, and the leaf's form in bits 3 to 7: wide, narrow or double. An answer is an [`AddressClass`]; one that expires counts quarters of lines
/// from bit 3 on, and there are the answer, the time, and the reference that holds then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ref(pub u32);

impl Ref {
    /// Kind: the walk ends, and this is the answer.
    pub const ANSWER: u32 = 0b00;
    /// Kind: the walk ends, at an answer that expires.
    pub const EXPIRING: u32 = 0b10;
    /// Kind: slots indexed by so many bits of the window.
    pub const DIRECT: u32 = 0b01;
    /// Kind: a line of sorted keys.
    pub const LEAF: u32 = 0b11;

    /// No rule.
    pub const NONE: Self = Self(0);
    /// Lines that a reference can name.
    pub const MAX_LINES: u32 = 1 << 24;

    const ADVANCE: u32 = 1 << 2;

    /// A direct node over so many bits. *Shape*: `line` is below [`Ref::MAX_LINES`].
    #[must_use]
    pub const fn direct(bits: u32, line: u32) -> Self {
        Self(Self::DIRECT | bits << 3 | line << 8)
    }

    /// A leaf. *Shape*: as for [`Ref::direct`].
    #[must_use]
    pub const fn leaf(line: u32) -> Self {
        Self(Self::LEAF | line << 8)
    }

    /// An answer that expires, by its number of quarter lines.
    #[must_use]
    pub const fn expiring(quarter: u32) -> Self {
        Self(Self::EXPIRING | quarter << 3)
    }

    /// A leaf's form: keys of 32 bits.
    pub const WIDE: u32 = 0;
    /// A leaf's form: keys of 16 bits, and short answers.
    pub const NARROW: u32 = 1;
    /// A leaf's form: keys of two windows.
    pub const DOUBLE: u32 = 2;

    /// A narrow leaf. *Shape*: as for [`Ref::direct`].
    #[must_use]
    pub const fn narrow_leaf(line: u32) -> Self {
        Self(Self::LEAF | Self::NARROW << 3 | line << 8)
    }

    /// A double leaf. *Shape*: as for [`Ref::direct`].
    #[must_use]
    pub const fn double_leaf(line: u32) -> Self {
        Self(Self::LEAF | Self::DOUBLE << 3 | line << 8)
    }

    /// The same node, once the next window is reached.
    #[must_use]
    pub const fn in_this_window(self) -> Self {
        if self.is_end() { self } else { Self(self.0 & !Self::ADVANCE) }
    }

    /// The short form of an answer; `None` if it has none: it expires, or the lists in
    /// shadow would change it.
    ///
    /// *Shape*: below [`LONG_ANSWERS`](super::LONG_ANSWERS).
    #[must_use]
    pub const fn short(self) -> Option<u16> {
        let class = AddressClass(self.0);
        if self.kind() != Self::ANSWER || class.shadow_action() != 0 {
            return None;
        }
        Some(class.list() << 2 | class.action() as u16)
    }

    /// The answer of a short form.
    #[inline(always)]
    pub(super) const fn of_short(short: u32) -> Self {
        Self((short & 3) << 3 | (short >> 2) << 7)
    }

    /// The same node, reached through the next window.
    #[must_use]
    pub const fn in_next_window(self) -> Self {
        if self.is_end() { self } else { Self(self.0 | Self::ADVANCE) }
    }

    /// What kind of thing it leads to.
    #[inline(always)]
    #[must_use]
    pub const fn kind(self) -> u32 {
        self.0 & 3
    }

    /// Whether the walk ends here.
    #[inline(always)]
    #[must_use]
    pub const fn is_end(self) -> bool {
        self.0 & 1 == 0
    }

    /// Whether the next window comes first.
    #[inline(always)]
    #[must_use]
    pub const fn advances(self) -> bool {
        self.0 & Self::ADVANCE != 0
    }

    /// A direct node's bits, or a leaf's form.
    #[inline(always)]
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0 >> 3 & 31
    }

    /// A node's line.
    #[inline(always)]
    #[must_use]
    pub const fn line(self) -> u32 {
        self.0 >> 8
    }

    /// An expiring answer's number of quarter lines.
    #[inline(always)]
    #[must_use]
    pub const fn quarter(self) -> u32 {
        self.0 >> 3
    }
}
