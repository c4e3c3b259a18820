//! Behaviour: what a client does, and what all clients with one fingerprint do together.
//!
//! What is [`seen`] goes into a [`profile`] of fixed size, and [`signals`] look at profiles.
//! Nothing here is forgeable: a handshake is told only of a client that proved its address,
//! and a request only by the operator's own server.

pub mod agent;
pub mod count;
pub mod distinct;
pub mod group;
pub mod pace;
pub mod profile;
pub mod rush;
pub mod seen;
pub mod sequence;
pub mod signals;
pub mod table;

#[cfg(test)]
mod sample;
