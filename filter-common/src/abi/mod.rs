//! Types that cross the kernel boundary, one file per idea.
//!
//! They have no padding, no `bool`, no enum and no `usize`. Sizes and offsets are
//! asserted where the types are defined: a change that fails there changes
//! [`ABI_VERSION`].

pub mod address;
pub mod client;
pub mod config;
pub mod counter;
pub mod feeding;
pub mod fingerprint;
pub mod flow;
pub mod hello;
pub mod limit;
pub mod program;
pub mod quic;
pub mod rule;
pub mod syn;
pub mod width;

/// The number pinned beside the maps. It stands for the layout of what only the program uses,
/// too: [`Frame`](crate::wire::frame::Frame) and [`Stage`](crate::hello::Stage).
///
/// A daemon that finds another number refuses the pins: it can't know what the fields
/// of another version mean.
pub const ABI_VERSION: u32 = 6;

/// Whether a rule acts or only counts.
///
/// *Shape*: carried as a single byte or a `u32`; every value but [`Mode::SHADOW`] acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(pub u8);

impl Mode {
    /// The rule's verdict is carried out.
    pub const ENFORCE: Self = Self(0);
    /// The packet passes and a would-drop counter rises.
    pub const SHADOW: Self = Self(1);
}

/// Asserts size and alignment of an ABI type at compile time.
macro_rules! assert_layout {
    ($type:ty, size $size:literal, align $align:literal $(, $field:ident at $offset:literal)* $(,)?) => {
        const _: () = {
            assert!(core::mem::size_of::<$type>() == $size);
            assert!(core::mem::align_of::<$type>() == $align);
            $(assert!(core::mem::offset_of!($type, $field) == $offset);)*
        };
    };
}
pub(crate) use assert_layout;
