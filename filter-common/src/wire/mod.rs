//! Reading packets: cursors, headers, whole frames, SYNs, `ClientHellos`.

pub mod address;
pub mod checksum;
pub mod client_hello;
pub mod cursor;
pub mod frame;
pub mod header;
pub mod reset;
pub mod syn;
