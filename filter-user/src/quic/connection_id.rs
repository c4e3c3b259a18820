//! Names that the ends of a connection give one another.

use std::fmt;

/// Bytes that a connection ID of the known versions has at most.
///
/// A packet with a longer one is ignored, as servers do. *Source*: RFC 9000 section 17.2.
const MAX_LEN: usize = 20;

/// A connection ID.
///
/// *Shape*: 0 to 20 bytes, shown as hex digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    bytes: [u8; MAX_LEN],
    len: u8,
}

impl ConnectionId {
    /// The ID made of these bytes; `None` if they are too many.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut id = Self { bytes: [0; MAX_LEN], len: u8::try_from(bytes.len()).ok()? };
        id.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(id)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_bytes_are_the_most() {
        assert_eq!(ConnectionId::new(&[0xab; 20]).unwrap().to_string(), "ab".repeat(20));
        assert_eq!(ConnectionId::new(&[0; 21]), None);
        assert_ne!(ConnectionId::new(&[]), ConnectionId::new(&[0]));
    }
}
