//! Access logs: what servers say of requests, joined with what the kernel says of hellos.
//!
//! Nothing here does I/O or reads a clock: lines and times go in, requests come out. The lines
//! are the servers', but most of what is in them is the clients': each format is read so that
//! what a client says in one field can't become another field.

mod caddy;
mod combined;
mod envoy;
mod error;
mod format;
mod haproxy;
pub mod join;
mod json;
mod line;
mod nginx_json;
mod pulse;
mod request;
mod scan;
mod syslog;
mod time;
mod zone;

pub use error::LineError;
pub use format::Format;
pub use line::{Lines, MAX_LINE};
pub use pulse::{Change, Pulse};
pub use request::{Header, Request};
pub use zone::Zone;

#[cfg(test)]
mod tests;
