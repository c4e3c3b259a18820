//! Classification: from evidence to decisions.
//!
//! What a client *is* follows from its hellos ([`judgement`]), what it *does* from handshakes and
//! requests ([`behaviour`]), and what *happens* from a policy ([`decision`]). [`detector`] joins
//! them. Rules of operators are the kernel's work: see [`rule`](crate::rule).
//!
//! Pure: hellos, requests and time go in, decisions come out. Nothing that a spoofed packet could
//! have brought about goes in.

pub mod behaviour;
pub mod clients;
pub mod decision;
pub mod detector;
pub mod evidence;
pub mod family;
pub mod fingerprints;
pub mod judgement;
pub mod knowledge;
pub mod rerun;
#[cfg(test)]
mod sample;
pub mod shape;
pub mod signals;
pub mod stack;
pub mod syn;
