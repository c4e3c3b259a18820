//! Payloads that begin as TLS clients do.

use std::vec::Vec;

/// Bytes that TLS clients begin with: a record, and in it the start of a ClientHello
/// whose record takes `len` bytes in all, at least nine and at most 16,389.
#[must_use]
pub fn hello_start(len: u16) -> [u8; 9] {
    let [record_high, record_low] = (len - 5).to_be_bytes();
    let [body_high, body_low] = (len - 9).to_be_bytes();
    [0x16, 3, 1, record_high, record_low, 1, 0, body_high, body_low]
}

/// [`hello_start`], filled up to the length that it claims.
#[must_use]
pub fn hello(len: u16) -> Vec<u8> {
    let mut bytes = hello_start(len).to_vec();
    bytes.resize(usize::from(len), 0x5a);
    bytes
}
