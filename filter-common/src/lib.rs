//! What Palisade's kernel and user side share.
//!
//! [`abi`] holds every type that crosses the boundary, [`wire`] reads packets,
//! [`gcra`] meters, and [`decide::decide`] is the one place that knows the order of
//! checks. Nothing of that does I/O, reads a clock or allocates, so the same code runs in
//! the XDP program, in host tests and in offline replay.
#![no_std]

#[cfg(not(target_arch = "bpf"))]
extern crate std;

pub mod abi;
pub mod decide;
pub mod flood;
pub mod gcra;
pub mod hash;
pub mod hello;
pub mod ja4;
pub mod limit;
pub mod policy;
pub mod quic;
pub mod verdict;
pub mod wire;

/// The packet builder of the workspace's tests, which has to exist once and can't be a
/// dependency: it would bring the whole user side along.
#[cfg(test)]
#[path = "../../tests/src/packet/mod.rs"]
pub mod packet;
