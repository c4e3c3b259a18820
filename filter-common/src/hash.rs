//! Keyed hashing of what clients choose.

/// A round of `MurmurHash3`'s finaliser. Its top bits depend on every bit of `word`.
#[inline(always)]
#[must_use]
pub const fn mix(hash: u64, word: u64) -> u64 {
    let x = (hash ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
    x ^ (x >> 33)
}
