//! Clients that have completed a TCP handshake lately.
//!
//! A client is marked when one of its segments belongs to an established socket of this
//! host. Nobody can bring that about in another's name: without the handshake there is no
//! socket, and with it the client has proved itself, whoever sent this very segment.
//!
//! *Shape*: a line of eight marks, each a tag of 48 bits and a stamp of 16. To crowd a client
//! out an attacker needs eight addresses of his own in its line, which he can't aim at, that
//! each complete a handshake after it did. Stamps wrap after 6.5 days: then a mark that nobody
//! renewed counts for one more hour.

use crate::limit::key::{Secrets, permute};
use crate::wire::address::Address;

/// A line of marks, wherever it lies.
pub trait Marks {
    /// A mark; ways are below [`WAYS`].
    fn load(&self, way: u32) -> u64;
    /// Replaces it.
    fn store(&self, way: u32, mark: u64);
}

/// Marks of a line.
pub const WAYS: u32 = 8;

/// Stamps for which a mark counts: an hour.
pub const RECENT: u64 = 420;
/// Stamps for which a mark isn't renewed: half a minute.
pub const FRESH: u64 = 4;
/// No mark, or one that is too old.
pub const UNKNOWN: u64 = u64::MAX;

const STAMP: u64 = 0xffff;

/// Where a client is marked: line and tag in one number, the line in the lower bits, the tag
/// in the upper 48.
#[inline(always)]
#[must_use]
pub const fn mixed(secrets: &Secrets, source: &Address) -> u64 {
    let prefix = if source.is_v4() { source.tail() as u64 } else { source.high };
    // Not the permutation of the meters: a client is somewhere else here.
    permute(&[secrets[1], secrets[0]], prefix)
}

#[inline(always)]
const fn stamp(now_ns: u64) -> u64 {
    now_ns >> 33 & STAMP
}

/// Stamps from a mark's to now. One that is ahead by one is of now: another CPU has read the
/// clock a moment later, or the other clock, or the stamp was zero.
#[inline(always)]
const fn since(mark: u64, now: u64) -> u64 {
    let age = now.wrapping_sub(mark) & STAMP;
    if age == STAMP { 0 } else { age }
}

/// How long ago a client proved itself, in stamps; [`UNKNOWN`] if it is too long.
#[inline(always)]
pub fn age<M: Marks>(marks: &M, mixed: u64, now_ns: u64) -> u64 {
    for way in 0..WAYS {
        let mark = marks.load(way);
        if mark != 0 && (mark ^ mixed) & !STAMP == 0 {
            let age = since(mark, stamp(now_ns));
            return if age > RECENT { UNKNOWN } else { age };
        }
    }
    UNKNOWN
}

/// Marks a client, in the place of its last mark or the oldest one.
#[inline(always)]
pub fn mark<M: Marks>(marks: &M, mixed: u64, now_ns: u64, forgotten: impl Fn(u64) -> u64) {
    let now = stamp(now_ns);
    let mut best = 0;
    for way in 0..WAYS {
        let mark = marks.load(way);
        let age = since(mark, now);
        let is_own = (mark ^ mixed) & !STAMP == 0;
        let worth = if mark == 0 || is_own { STAMP + 1 } else { age };
        let worth = if is_own { worth + 1 } else { worth };
        let this = worth << 3 | u64::from(way);
        best = forgotten(if this > best { this } else { best });
    }
    // A stamp of zero would look like an empty place.
    marks.store((best & 7) as u32, mixed & !STAMP | if now == 0 { 1 } else { now });
}

#[cfg(test)]
mod tests;
