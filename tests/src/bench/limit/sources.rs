//! Where packets seem to come from.

/// Both families.
pub(super) const FAMILIES: [Family; 2] = [
    Family { name: "IPv4", prefix: "", is_v6: false },
    Family { name: "IPv6", prefix: "v6/", is_v6: true },
];

/// A family of addresses.
#[derive(Clone, Copy)]
pub(super) struct Family {
    /// Its name.
    pub(super) name: &'static str,
    /// What the names of its cases start with.
    pub(super) prefix: &'static str,
    /// Whether it is IPv6.
    pub(super) is_v6: bool,
}

/// In what order packets come from clients. An IPv6 client changes the lower half of its
/// address each time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// One.
    Repeat,
    /// Each of 65,536 in its turn.
    Few,
    /// Never the same again; of those that are dropped, each of [`Pattern::MOST`].
    Random,
}

impl Pattern {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Repeat, Self::Few, Self::Random];

    /// Clients that all tables have room for at once, if not each set of meters, and no cache.
    pub(super) const MOST: u32 = 1 << 18;

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Repeat => "repeat",
            Self::Few => "64k",
            Self::Random => "random",
        }
    }

    /// How many come again and again.
    pub(super) const fn clients(self) -> u32 {
        match self {
            Self::Repeat => 1,
            Self::Few => 1 << 16,
            Self::Random => Self::MOST,
        }
    }
}
