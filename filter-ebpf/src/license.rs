//! The licence that the object declares to the kernel.
#![expect(unsafe_code, reason = "the kernel looks for this section by name")]

/// Lets the program use helpers that the kernel keeps for GPL-compatible ones.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
