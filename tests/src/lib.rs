//! What Palisade's privileged tests, benchmarks and fuzzers share.

pub mod bench;
pub mod browsers;
pub mod captures;
pub mod eval;
pub mod flood;
pub mod frame;
pub mod fuzz;
pub mod kernel;
pub mod lab;
pub mod limit;
pub mod output;
pub mod packet;
pub mod prefixes;
pub mod privilege;
pub mod rules;
pub mod twin;
