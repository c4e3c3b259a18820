//! What the address policy says about an address.

/// The answer of one look-up in the address policy.
///
/// *Shape*: a number. Bits 3 and 4 are the action of the enforced lists, bits 7 to 16
/// the list that it came from; bits 5 and 6 and 17 to 26 are what the answer would be with
/// the lists in shadow, and from which, or zero if it would be the same. Zero is no rule.
/// So an answer is a [`Ref`](crate::policy::Ref) as well, and needs no further look-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct AddressClass(pub u32);

impl AddressClass {
    /// No rule.
    pub const NONE: u8 = 0;
    /// The packet passes and the walk ends.
    pub const ALLOW: u8 = 1;
    /// The packet is dropped.
    pub const BLOCK: u8 = 2;
    /// The client is held to the list's limit instead of the host's packet limit.
    pub const LIMIT: u8 = 3;

    /// An answer: the action of the enforced lists and the list it came from, and both
    /// again with the lists in shadow.
    ///
    /// *Shape*: actions below 4, lists below [`LIST_CAPACITY`].
    #[must_use]
    pub const fn new(enforced: (u8, ListId), shadow: (u8, ListId)) -> Self {
        let actions = (enforced.0 as u32) << 3 | (shadow.0 as u32) << 5;
        let lists = (enforced.1.0 as u32) << 7 | (shadow.1.0 as u32) << 17;
        Self(actions | lists)
    }

    /// What the enforced lists say.
    #[inline(always)]
    #[must_use]
    pub const fn action(self) -> u8 {
        (self.0 >> 3 & 3) as u8
    }

    /// What they would say with those in shadow; zero if the same.
    #[inline(always)]
    #[must_use]
    pub const fn shadow_action(self) -> u8 {
        (self.0 >> 5 & 3) as u8
    }

    /// The list that [`action`](Self::action) came from.
    #[inline(always)]
    #[must_use]
    pub const fn list(self) -> u16 {
        (self.0 >> 7 & (LIST_CAPACITY - 1)) as u16
    }

    /// The list that [`shadow_action`](Self::shadow_action) came from.
    #[inline(always)]
    #[must_use]
    pub const fn shadow_list(self) -> u16 {
        (self.0 >> 17 & (LIST_CAPACITY - 1)) as u16
    }
}

/// A list's number within the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListId(pub u16);

impl ListId {
    /// No list.
    pub const NONE: Self = Self(0);
    /// The built-in allowlist.
    pub const ALLOW: Self = Self(1);
    /// The built-in blocklist.
    pub const BLOCK: Self = Self(2);
}

/// Lists that the policy holds at once, counting [`ListId::NONE`]: a power of two.
///
/// At the limit the daemon refuses to create another one.
pub const LIST_CAPACITY: u32 = 1024;
