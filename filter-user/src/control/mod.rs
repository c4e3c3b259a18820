//! The control API: HTTP and JSON over a Unix socket.
//!
//! All that the command line can do, a script can do with
//! `curl --unix-socket /run/palisade/control.sock http://palisade/v1/status`.

pub mod api;
pub mod client;
mod export;
pub mod format;
pub mod handle;
mod import;
mod judged;
mod knowledge;
mod limit;
mod list;
mod reply;
pub mod server;
#[cfg(test)]
mod tests;
mod upload;

/// The socket's name in the run folder.
pub const SOCKET: &str = "control.sock";

/// Where the command line looks for the daemon if no socket is named.
pub const DEFAULT_SOCKET: &str = "/run/palisade/control.sock";
