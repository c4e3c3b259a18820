//! Palisade's user side: everything that `palisaded` and `palisade` do.
//!
//! `ARCHITECTURE.md` says which module may know which.

pub mod clock;
pub mod config;
pub mod datapath;
pub mod policy;
pub mod replay;
