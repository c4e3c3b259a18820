//! JA4 of a ClientHello, in steps that the kernel can take.
//!
//! The verifier follows a loop for as long as its states differ, so each one here is a
//! [`Step`] of a [`Loop`]: `bpf_loop` in the kernel, a plain loop on hosts. All memory is in
//! [`Work`], which a program keeps in a map: what is read back from it, the verifier takes
//! for any number.
//!
//! *Source*: FoxIO's technical details of JA4 (BSD-3-Clause).

mod lists;
mod sha256;
mod sort;
mod text;
mod values;

use crate::abi::hello::StreamBytes;
use crate::abi::rule::Parts;
use lists::Lists;
pub(crate) use lists::Span;
use sha256::Sha256;

/// Takes steps.
pub trait Loop {
    /// Takes a step up to so many times, until it says that it was the last.
    fn repeat<S: Step>(&self, times: u32, step: &mut S);
}

/// A step of a loop.
pub trait Step {
    /// Takes the step with this number; `true` if it was the last.
    fn step(&mut self, index: u32) -> bool;
}

/// Values of all lists together, GREASE too: ciphers, extensions, signature algorithms, versions,
/// groups and point formats. A power of two.
///
/// Ordinary clients have less than a hundred, and tools that try every cipher some 380. It
/// is what bounds the time that a hello may take.
pub const MAX_VALUES: usize = 512;

/// A fingerprint is 36 characters.
pub const JA4_LEN: usize = 36;

/// All that a fingerprint takes.
///
/// *Shape*: about 10 KiB, an element of a map of each CPU.
#[repr(C)]
#[derive(Clone)]
pub struct Work {
    /// What comes out.
    pub ja4: [u8; JA4_LEN],
    /// The same in numbers.
    pub parts: Parts,
    lists: Lists,
    sha256: Sha256,
    text: text::Text,
    sort: sort::Room,
}

impl Work {
    /// A keyed hash of what the hello's JA3 is made of.
    #[inline(always)]
    pub(crate) const fn wire(&self) -> u64 {
        self.lists.wire()
    }

    /// Where the server's name lies; no bytes if there is none.
    #[inline(always)]
    pub(crate) fn server_name(&self, bytes: &StreamBytes) -> Span {
        self.lists.name_of_server(bytes)
    }

    /// Where the first protocol of ALPN lies; no bytes if there is none.
    #[inline(always)]
    pub(crate) fn protocol(&self, bytes: &StreamBytes) -> Span {
        let (start, len) = self.lists.protocol(bytes);
        Span { start, len, found: 0 }
    }
}

/// Why there is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// It is no ClientHello: another message, or lengths that don't fit into one another.
    Malformed = 1,
    /// It has more than [`MAX_VALUES`].
    TooMany = 2,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            ja4: [0; JA4_LEN],
            parts: Parts::default(),
            lists: Lists::default(),
            sha256: Sha256::default(),
            text: text::Text::default(),
            sort: sort::Room::default(),
        }
    }
}

/// Remembers fingerprints: the same client's next hello needs no sums.
///
/// A hello's name doesn't depend on the order of what a fingerprint sorts, nor on GREASE: some
/// clients change both with each connection. It is keyed with a secret, or a client could borrow
/// the fingerprint of another.
pub trait Memo {
    /// What keys the names.
    fn secret(&self) -> u64;
    /// The second and third part of the fingerprint with this name; `false` if it isn't known.
    fn recall(&self, name: u64, parts: &mut Parts) -> bool;
    /// Remembers them.
    fn remember(&self, name: u64, parts: &Parts);
}

/// Fingerprints the handshake message that lies behind the header of a TLS record.
///
/// *Shape*: `end` is where the message has to end at the latest, counted like the bytes.
///
/// *Errors*: [`Fault`].
pub fn fingerprint<M: Loop + Memo>(
    bytes: &StreamBytes,
    end: u32,
    work: &mut Work,
    memo: &M,
) -> Result<(), Fault> {
    lists::read(bytes, end, &mut work.lists, memo.secret(), memo)?;
    text::prefix(bytes, work);
    let name = work.lists.name();
    if !memo.recall(name, &mut work.parts) {
        sort::sort(&mut work.lists.ciphers, &mut work.sort, memo);
        sort::sort(&mut work.lists.extensions, &mut work.sort, memo);
        text::middle(work, memo);
        text::last(work, memo);
        memo.remember(name, &work.parts);
    }
    text::sums(work);
    Ok(())
}

#[cfg(test)]
mod tests;
