//! Reading packets: cursors, headers, whole frames, `ClientHellos`.

pub mod address;
pub mod checksum;
pub mod client_hello;
pub mod cursor;
pub mod frame;
pub mod header;
pub mod reset;
