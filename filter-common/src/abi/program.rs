//! The filter's programs: each but the first is called by the one before it.

/// Where the program is that meets limits.
pub const LIMIT_PROGRAM: u32 = 0;

/// Where the program is that takes hellos.
pub const HELLO_PROGRAM: u32 = 1;

/// Elements of the `PROGRAMS` map.
pub const PROGRAM_COUNT: u32 = 2;
