//! Where a key's meter is.
//!
//! A client's prefix goes through a keyed permutation of 64 bits. Some of the result's bits
//! choose the set, the others are the tag: together they are the prefix again. So no two
//! keys share a meter, nobody without the secret can aim at a set, and the daemon, which
//! has it, can name whom a meter is about.

use crate::abi::client::ClientKey;
use crate::abi::limit::{Profile, RATE_SETS};
use crate::wire::address::Address;

/// Where a meter is, and what it is called there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The set.
    pub set: u32,
    /// The meter's tag in it.
    pub tag: u64,
}

/// Secrets of the permutation.
pub type Secrets = [u64; 2];

const SET_MASK: u64 = RATE_SETS as u64 - 1;
const OCCUPIED: u64 = 1 << 15;
const V6: u64 = 1 << 16;
const NUMBER: u64 = 0x3f;

/// The meter of a profile, and of a client, a fingerprint or both.
#[inline(always)]
#[must_use]
pub const fn place(
    secrets: &Secrets,
    profile: &Profile,
    number: u32,
    source: &Address,
    fingerprint: u64,
) -> Place {
    let is_v4 = source.is_v4();
    let prefix = if is_v4 {
        (source.tail() & profile.v4_mask) as u64
    } else {
        source.high & profile.v6_mask
    };
    let (word, is_v4) = match profile.key {
        Profile::BY_FINGERPRINT => (fingerprint, true),
        Profile::BY_FINGERPRINT_OF_CLIENT => (permute(secrets, prefix) ^ fingerprint, is_v4),
        _ => (prefix, is_v4),
    };
    let mixed = permute(secrets, word);
    let kind = if is_v4 { OCCUPIED } else { OCCUPIED | V6 };
    let set = (mixed ^ spread(number)) & SET_MASK;
    let tag = mixed & !SET_MASK | kind | number as u64;
    let bank = if profile.is_quota() { RATE_SETS } else { 0 };
    Place { set: set as u32 | bank, tag }
}

/// The fingerprint of a meter that is kept by it.
#[must_use]
pub const fn fingerprint(secrets: &Secrets, set: u32, tag: u64) -> u64 {
    restore(secrets, mixed(set, tag))
}

/// What a place was made of.
const fn mixed(set: u32, tag: u64) -> u64 {
    tag & !SET_MASK | (set as u64 ^ spread(number(tag))) & SET_MASK
}

/// The number of the profile that a tag is of.
#[inline(always)]
#[must_use]
pub const fn number(tag: u64) -> u32 {
    (tag & NUMBER) as u32
}

/// Whom a meter of clients is about: the first address of the prefix, in the form of a client. The
/// profile says how long the prefix is.
#[must_use]
pub const fn client(secrets: &Secrets, set: u32, tag: u64) -> ClientKey {
    let prefix = restore(secrets, mixed(set, tag));
    if tag & V6 == 0 {
        ClientKey { high: 0, low: 0xffff_0000_0000 | prefix }
    } else {
        ClientKey { high: prefix, low: 0 }
    }
}

/// Profiles two by two are neighbours: a packet of one client meets both in one cache line.
/// Others are elsewhere, or one client's profiles would fill a set.
#[inline(always)]
const fn spread(number: u32) -> u64 {
    (number as u64 >> 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40
}

const FIRST: u64 = 0xff51_afd7_ed55_8ccd;
const LAST: u64 = 0xc4ce_b9fe_1a85_ec53;

/// Mixes 64 bits reversibly; each step is a bijection.
#[inline(always)]
#[must_use]
pub const fn permute(secrets: &Secrets, word: u64) -> u64 {
    let x = (word ^ secrets[0]).wrapping_mul(FIRST);
    let x = (x ^ x >> 32).wrapping_mul(secrets[1] | 1);
    let x = (x ^ x >> 32).wrapping_mul(LAST);
    x ^ x >> 32
}

/// The word that [`permute`] made this of.
#[must_use]
pub const fn restore(secrets: &Secrets, mixed: u64) -> u64 {
    let x = (mixed ^ mixed >> 32).wrapping_mul(inverse(LAST));
    let x = (x ^ x >> 32).wrapping_mul(inverse(secrets[1] | 1));
    (x ^ x >> 32).wrapping_mul(inverse(FIRST)) ^ secrets[0]
}

/// The inverse of an odd number modulo 2^64, by Newton's method: each step doubles the bits
/// that are right, and an odd number is its own inverse in the last three.
const fn inverse(odd: u64) -> u64 {
    let (mut x, mut step) = (odd, 0);
    while step < 5 {
        x = x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x)));
        step += 1;
    }
    x
}

#[cfg(test)]
mod tests;
