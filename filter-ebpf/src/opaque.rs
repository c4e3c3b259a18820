//! Values that the optimiser and the verifier shall take as they come.
#![expect(unsafe_code, reason = "an instruction of its own")]

use core::arch::asm;

/// The same value, of which the optimiser no longer knows where it came from. (The
/// library's `black_box` goes through memory.)
#[inline(always)]
pub(crate) fn opaque(value: usize) -> usize {
    let mut value = value;
    // SAFETY: a register is copied to itself.
    unsafe {
        asm!("{0} = {0}", inout(reg) value, options(pure, nomem, nostack, preserves_flags));
    }
    value
}

/// [`opaque`] for a number of 32 bits.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "it comes back as it went in")]
pub(crate) fn opaque_u32(value: u32) -> u32 {
    opaque(value as usize) as u32
}
