//! TLS stacks, told by the structure of their hellos.
//!
//! A list of fingerprints knows yesterday's programs; what a stack's source code writes stays
//! the same over many versions, and under every program that uses it.

mod rule;

use super::family::Family;
use super::shape::Shape;

/// TLS stacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stack {
    /// BoringSSL as a browser sets it up, or somebody who wears a browser's clothes.
    Browser(Family),
    /// BoringSSL as libraries and apps use it: Conscrypt, gRPC, Flutter.
    BoringSsl,
    /// NSS without Firefox around it.
    Nss,
    /// OpenSSL 1.0, which knows no TLS 1.3, and older.
    OldOpenSsl,
    /// OpenSSL from 1.1.1 on.
    OpenSsl,
    /// GnuTLS.
    GnuTls,
    /// GnuTLS as `WebKit` on Linux and other users of libsoup set it up.
    LibSoup,
    /// Go's `crypto/tls`.
    Go,
    /// Java's JSSE.
    Jsse,
    /// Windows' Schannel.
    Schannel,
    /// rustls.
    Rustls,
    /// Mbed TLS.
    MbedTls,
    /// Something that no browser is.
    Other,
}

impl Stack {
    /// The name that operators see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browser(family) => family.name(),
            Self::BoringSsl => "BoringSSL in a library",
            Self::Nss => "NSS in a library",
            Self::OldOpenSsl => "OpenSSL before TLS 1.3",
            Self::OpenSsl => "OpenSSL",
            Self::GnuTls => "GnuTLS",
            Self::LibSoup => "GnuTLS under libsoup or WebKit",
            Self::Go => "Go crypto/tls",
            Self::Jsse => "Java JSSE",
            Self::Schannel => "Schannel",
            Self::Rustls => "rustls",
            Self::MbedTls => "Mbed TLS",
            Self::Other => "an unknown stack that no browser uses",
        }
    }

    /// Whether no browser of today speaks through it.
    #[must_use]
    pub const fn is_library(self) -> bool {
        !matches!(self, Self::Browser(_) | Self::LibSoup)
    }

    /// Places a hello, and says by what; `None` if nothing about it is typical.
    #[must_use]
    pub fn place(shape: &Shape) -> Option<(Self, &'static str)> {
        if let Some(family) = Family::worn_by(shape) {
            return Some((Self::Browser(family), "ciphers and extensions of the family"));
        }
        let rule = rule::RULES.iter().find(|rule| (rule.holds)(shape))?;
        Some((rule.stack, rule.mark))
    }
}

#[cfg(test)]
mod tests;
