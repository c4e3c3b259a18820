//! The compiled address policy: the image that the daemon builds, and the look-up in it.
//!
//! An image is an array of *lines* of 64 bytes, which is what a CPU fetches from memory
//! at once. An address is one *window* of 32 bits in IPv4 and four in IPv6. A look-up
//! walks from [`Ref`] to [`Ref`], and looks at one line for each: a *direct* node is an
//! array indexed by the next few bits of the window; a *leaf* is a line of sorted keys,
//! each with the reference that holds from that key on. A reference may lead on into the
//! next window, and ends at an answer. Where only 16 bits of the window are left and only
//! answers follow, which is nearly everywhere in IPv4, a *narrow* leaf has 16 keys of 16
//! bits, each with a short form of the answer. A *double* leaf has five keys of two windows
//! at once: in IPv6 most networks have few prefixes inside.
//!
//! Each family's walk begins at a direct node of its own over the first 16 bits, whose
//! place is fixed. Line 0 names the line where the answers are that have no short form.
//! A reference of zero is no rule. Nothing that a reference leads to is ever changed, but for the slots of direct
//! nodes and line 0: so a change is written beside what is there and switched in by
//! one word, and a packet sees the old or the new, never a mixture.

mod reference;

pub use reference::Ref;

use crate::abi::address::AddressClass;
use crate::wire::address::Address;

/// Words of a line.
pub const LINE_WORDS: usize = 16;

/// 64 bytes: slots, or keys that alternate with their references.
pub type Line = [u32; LINE_WORDS];

/// Entries of a leaf.
pub const LEAF_ENTRIES: usize = LINE_WORDS / 2;

/// Entries of a narrow leaf.
pub const NARROW_ENTRIES: usize = LINE_WORDS;

/// Entries of a double leaf: keys in pairs of words, then as many references.
pub const DOUBLE_ENTRIES: usize = 5;

/// Bits of the keys in a narrow leaf.
pub const NARROW_BITS: u32 = 16;

/// Answers without a short form that narrow leaves can name.
///
/// At the limit leaves with further ones are wide.
pub const LONG_ANSWERS: u32 = 1 << 15;

/// Bits of the direct nodes at which walks begin.
pub const ROOT_BITS: u32 = 16;

/// The first line of IPv4's.
pub const ROOT_V4: u32 = 1;

/// The first line of IPv6's.
pub const ROOT_V6: u32 = ROOT_V4 + ROOT_LINES;

/// Lines of each.
pub const ROOT_LINES: u32 = 1 << (ROOT_BITS - SLOT_BITS);

/// Bits of a slot's number within its line.
const SLOT_BITS: u32 = LINE_WORDS.ilog2();

/// Direct nodes that follow one another within a window.
pub const MAX_DIRECTS: u32 = 2;

/// Leaves that follow one another within a window.
///
/// A direct node has at least half as many slots as it has entries. So two of them, over
/// `n` entries that all fall on one slot, leave 34 - 2 log2(n) bits of the window, with at
/// most 2^12 entries: four leaves of eight.
pub const MAX_LEAVES: u32 = 4;

/// The steps that a walk takes at most.
pub const MAX_STEPS: u32 = 4 * (MAX_DIRECTS + MAX_LEAVES);

/// How many answers an address goes through as they expire.
///
/// At the limit there is no rule for it until the daemon, which removes what has ended,
/// compiles again.
pub const MAX_CHAIN: u32 = 16;

/// An image, wherever it lies.
pub trait Lines {
    /// A line; `None` beyond the end.
    fn line(&self, index: u32) -> Option<&Line>;

    /// The number itself, in the kernel unknown to the optimiser: it would make branches
    /// of the comparisons below, which the CPU mispredicts and the verifier follows all.
    #[inline(always)]
    fn opaque(&self, number: u64) -> u64 {
        number
    }

    /// The number itself, in the kernel unknown to the verifier: an index into a line
    /// makes it remember everything that the index was made of, and then no two walks
    /// look alike to it.
    #[inline(always)]
    fn forgotten(&self, number: u32) -> u32 {
        number
    }
}

impl Lines for &[Line] {
    fn line(&self, index: u32) -> Option<&Line> {
        self.get(index as usize)
    }
}

/// What the policy says of an address.
///
/// *Units*: `now_ns` gives nanoseconds on the clock of `bpf_ktime_get_ns`, to a few
/// milliseconds, and is asked only for answers that expire.
#[inline(always)]
pub fn look_up<L: Lines>(image: &L, address: &Address, now_ns: impl Fn() -> u64) -> AddressClass {
    let found = walk(image, address);
    if found.kind() == Ref::ANSWER {
        return AddressClass(found.0);
    }
    in_force(image, found, now_ns)
}

/// From the root to an answer.
#[inline(always)]
fn walk<L: Lines>(image: &L, address: &Address) -> Ref {
    let v4 = address.is_v4();
    // The window is the upper half of `high`; the others move up behind it.
    let mut high = if v4 { address.low << 32 } else { address.high };
    let mut low = address.low;
    let mut left = u32::BITS - ROOT_BITS;
    let slot = upper_half(high) >> left;
    let Some(line) = image.line(if v4 { ROOT_V4 } else { ROOT_V6 } + (slot >> SLOT_BITS)) else {
        return Ref::NONE;
    };
    let mut at = word(image, line, slot);
    for _ in 0..MAX_STEPS {
        if at.is_end() {
            return at;
        }
        if at.advances() {
            high = high << 32 | low >> 32;
            low <<= 32;
            left = u32::BITS;
        }
        let window = upper_half(high);
        if at.kind() == Ref::DIRECT {
            left = left.wrapping_sub(at.bits()) & 31;
            let slot = (window >> left) & ((1 << at.bits()) - 1);
            let Some(line) = image.line(at.line() + (slot >> SLOT_BITS)) else {
                return Ref::NONE;
            };
            at = word(image, line, slot);
        } else {
            let Some(line) = image.line(at.line()) else {
                return Ref::NONE;
            };
            if at.bits() == Ref::NARROW {
                return narrow(image, line, window);
            }
            if at.bits() == Ref::DOUBLE {
                at = Ref(double(image, line, high));
                high = high << 32 | low >> 32;
                low <<= 32;
                left = u32::BITS;
                continue;
            }
            at = Ref(leaf(image, line, window));
        }
    }
    Ref::NONE
}

/// The reference in a leaf that holds at a key: the one of the last key that isn't above
/// it. The first key never is.
#[inline(always)]
fn leaf<L: Lines>(image: &L, line: &Line, key: u32) -> u32 {
    let behind = u64::from(key) + 1;
    let step = |entry: usize| {
        let difference = u64::from(line[entry + 1] ^ line[entry - 1]);
        difference & reached(image, line[entry], behind)
    };
    // Each key that was reached turns the reference before it into its own. In two sums,
    // so that the CPU can work on both at once.
    let (one, other) = (step(2) ^ step(4) ^ step(6), step(8) ^ step(10) ^ step(12) ^ step(14));
    line[1] ^ low_half(one ^ other)
}

/// The reference in a double leaf, found in the same way.
#[inline(always)]
fn double<L: Lines>(image: &L, line: &Line, key: u64) -> u32 {
    const REFERENCES: usize = 2 * DOUBLE_ENTRIES;
    let step = |entry: usize| {
        let (at, limit) = (REFERENCES + entry, join(line[2 * entry], line[2 * entry + 1]));
        // The borrow of the difference: 1 if the key is below the limit.
        let difference = image.opaque(key.wrapping_sub(limit));
        let below = ((!key & limit) | (!(key ^ limit) & difference)) >> 63;
        u64::from(line[at] ^ line[at - 1]) & below.wrapping_sub(1)
    };
    line[REFERENCES] ^ low_half(step(1) ^ step(2) ^ step(3) ^ step(4))
}

#[inline(always)]
const fn join(upper: u32, lower: u32) -> u64 {
    (upper as u64) << 32 | lower as u64
}

/// The answer in a narrow leaf. Its keys are counted: for so many that is less work.
#[inline(always)]
fn narrow<L: Lines>(image: &L, line: &Line, key: u32) -> Ref {
    let behind = (u64::from(key & 0xffff) + 1) << NARROW_BITS;
    let mut reached = 0;
    let mut entry = 1;
    while entry < NARROW_ENTRIES {
        reached += image.opaque(u64::from(line[entry]).wrapping_sub(behind)) >> 63;
        entry += 1;
    }
    let short = word(image, line, low_half(reached)).0 & 0xffff;
    if short < LONG_ANSWERS {
        return Ref::of_short(short);
    }
    let at = short - LONG_ANSWERS;
    let Some(header) = image.line(0) else {
        return Ref::NONE;
    };
    let table = header[0];
    image.line(table + (at >> SLOT_BITS)).map_or(Ref::NONE, |line| word(image, line, at))
}

/// All ones if a key is below a limit, else zero, without a branch.
#[inline(always)]
fn reached<L: Lines>(image: &L, key: u32, limit: u64) -> u64 {
    let difference = image.opaque(u64::from(key).wrapping_sub(limit));
    (difference.cast_signed() >> 63).cast_unsigned()
}

/// A word of a line.
#[inline(always)]
fn word<L: Lines>(image: &L, line: &Line, at: u32) -> Ref {
    Ref(line[image.forgotten(at) as usize % LINE_WORDS])
}

#[inline(always)]
const fn upper_half(value: u64) -> u32 {
    (value >> 32) as u32
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the half that is wanted")]
const fn low_half(value: u64) -> u32 {
    value as u32
}

/// The answer that holds now, of one that expires.
#[inline(always)]
fn in_force<L: Lines>(image: &L, mut at: Ref, now_ns: impl Fn() -> u64) -> AddressClass {
    let seconds = now_ns() / 1_000_000_000;
    for _ in 0..MAX_CHAIN {
        if at.kind() != Ref::EXPIRING {
            break;
        }
        let Some(line) = image.line(at.quarter() >> 2) else {
            return AddressClass::default();
        };
        let first = (image.forgotten(at.quarter()) as usize & 3) * 4;
        if seconds < u64::from(line[first + 1]) {
            return AddressClass(line[first]);
        }
        at = Ref(line[first + 2]);
    }
    AddressClass(if at.kind() == Ref::ANSWER { at.0 } else { 0 })
}
