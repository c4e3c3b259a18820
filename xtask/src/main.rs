//! Palisade's development commands.
fn main() {}
