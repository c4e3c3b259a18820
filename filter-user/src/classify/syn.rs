//! Which system a SYN comes from, by the options that it writes and their order.
//!
//! Windows, segment sizes and scales change with the path and with settings; the order of
//! options is the stack's own.
//!
//! *Source*: p0f's signatures, and the systems' sources where these are open (Linux
//! `tcp_options_write`, XNU `tcp_output`, FreeBSD `tcp_addoptions`).

use filter_common::wire::syn::Syn;

/// Systems that can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux, also under Android.
    Linux,
    /// Windows.
    Windows,
    /// macOS, iOS and their kin.
    Apple,
    /// FreeBSD and its kin.
    Bsd,
}

impl System {
    /// The name that operators see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Windows => "Windows",
            Self::Apple => "an Apple system",
            Self::Bsd => "FreeBSD",
        }
    }

    /// The system that writes options like these; `None` if none is known to.
    #[must_use]
    pub fn of(syn: &Syn) -> Option<Self> {
        match syn.options {
            // Size, selective acknowledgement, time, and a scale behind a filler; then the same
            // where an operator has switched times off.
            0x0003_1842 | 0x0031_4112 => Some(Self::Linux),
            0x0041_1312 => Some(Self::Windows),
            0xe481_1312 => Some(Self::Apple),
            0x0008_4312 => Some(Self::Bsd),
            _ => None,
        }
    }
}

/// Whether a SYN is that of Linux on a desktop or a server. Android's has the largest window
/// that there is.
#[must_use]
pub fn is_plain_linux(syn: &Syn) -> bool {
    System::of(syn) == Some(System::Linux) && syn.window != u16::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_told_by_the_order_of_their_options() {
        let of = |options| System::of(&Syn { options, ..Syn::default() });
        assert_eq!(of(0x3_1842), Some(System::Linux));
        assert_eq!(of(0x41_1312), Some(System::Windows));
        assert_eq!(of(0xe481_1312), Some(System::Apple));
        assert_eq!(of(0x8_4312), Some(System::Bsd));
        assert_eq!(of(0x2), None);
    }

    #[test]
    fn android_is_not_a_desktop() {
        let syn = Syn { options: 0x3_1842, window: 65_535, ..Syn::default() };
        assert!(!is_plain_linux(&syn) && is_plain_linux(&Syn { window: 64_240, ..syn }));
    }
}
