//! Palisade's user side: everything that `palisaded` and `palisade` do.
//!
//! `ARCHITECTURE.md` says which module may know which.

pub mod access_log;
pub mod capture;
pub mod classify;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod daemon;
pub mod datapath;
pub mod fingerprint;
pub mod limit;
pub mod logs;
pub mod policy;
pub mod quic;
mod recent;
pub mod replay;
pub mod rule;
pub mod session;
pub mod store;
pub mod verdict;
