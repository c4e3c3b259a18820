//! Where things lie in a ClientHello.
//!
//! *Source*: RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2.

use super::cursor::Cursor;
use zerocopy::network_endian::U16;

/// A run of bytes in a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte from the start of the message.
    pub start: u32,
    /// How many bytes.
    pub len: u32,
}

impl Span {
    const fn end(self) -> u32 {
        self.start + self.len
    }
}

/// The parts of a ClientHello that fingerprints are made of.
///
/// *Shape*: spans into the handshake message, its four header bytes included. A list's
/// span covers its elements and not its length. Of an extension that comes twice, the
/// first counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The version before `supported_versions` existed.
    pub legacy_version: u16,
    /// Cipher suites, two bytes each.
    pub ciphers: Span,
    /// All extensions, each a type, a length and its data; `None` before extensions
    /// existed.
    pub extensions: Option<Span>,
    /// Data of `server_name` (0).
    pub server_name: Option<Span>,
    /// Data of `supported_groups` (10).
    pub groups: Option<Span>,
    /// Data of `ec_point_formats` (11).
    pub point_formats: Option<Span>,
    /// Data of `signature_algorithms` (13).
    pub signature_algorithms: Option<Span>,
    /// Data of `application_layer_protocol_negotiation` (16).
    pub alpn: Option<Span>,
    /// Data of `supported_versions` (43).
    pub versions: Option<Span>,
}

/// Why a message is no ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloError {
    /// It ends too early.
    Truncated,
    /// Another kind of message.
    NotClientHello,
    /// Lengths that don't fit into one another, or lists of half elements.
    Malformed,
}

/// Bytes of a handshake message's header: its type and a length of three bytes.
pub const HANDSHAKE_HEADER_LEN: u32 = 4;

const CLIENT_HELLO: u8 = 1;
const RANDOM_LEN: u32 = 32;
const EXTENSION_HEADER_LEN: u32 = 4;

/// A cursor that knows where it is.
struct Reader<C> {
    cursor: C,
    at: u32,
}

impl<C: Cursor> Reader<C> {
    fn u8(&mut self) -> Result<u8, HelloError> {
        self.at += 1;
        self.cursor.read().ok_or(HelloError::Truncated)
    }

    fn u16(&mut self) -> Result<u16, HelloError> {
        self.at += 2;
        self.cursor.read::<U16>().map(U16::get).ok_or(HelloError::Truncated)
    }

    fn u24(&mut self) -> Result<u32, HelloError> {
        Ok(u32::from(self.u8()?) << 16 | u32::from(self.u16()?))
    }

    fn span(&mut self, len: u32) -> Result<Span, HelloError> {
        let span = Span { start: self.at, len };
        self.at += len;
        self.cursor.skip(len).ok_or(HelloError::Truncated)?;
        Ok(span)
    }
}

/// Finds the parts of the ClientHello at the cursor.
///
/// *Errors*: [`HelloError`]; every strict prefix of a valid message is
/// [`HelloError::Truncated`]. Bytes behind the message don't matter.
pub fn parse<C: Cursor>(cursor: C) -> Result<ClientHello, HelloError> {
    let mut reader = Reader { cursor, at: 0 };
    if reader.u8()? != CLIENT_HELLO {
        return Err(HelloError::NotClientHello);
    }
    let end = HANDSHAKE_HEADER_LEN + reader.u24()?;
    let mut hello = ClientHello { legacy_version: reader.u16()?, ..ClientHello::default() };
    reader.span(RANDOM_LEN)?;
    let session_len = u32::from(reader.u8()?);
    reader.span(session_len)?;
    let ciphers_len = u32::from(reader.u16()?);
    hello.ciphers = reader.span(ciphers_len)?;
    let compression_len = u32::from(reader.u8()?);
    reader.span(compression_len)?;
    if !hello.ciphers.len.is_multiple_of(2) || reader.at > end {
        return Err(HelloError::Malformed);
    }
    if reader.at < end {
        parse_extensions(&mut reader, end, &mut hello)?;
    }
    Ok(hello)
}

fn parse_extensions<C: Cursor>(
    reader: &mut Reader<C>,
    end: u32,
    hello: &mut ClientHello,
) -> Result<(), HelloError> {
    let len = u32::from(reader.u16()?);
    let all = Span { start: reader.at, len };
    if all.end() != end {
        return Err(HelloError::Malformed);
    }
    hello.extensions = Some(all);
    while reader.at < end {
        if end - reader.at < EXTENSION_HEADER_LEN {
            return Err(HelloError::Malformed);
        }
        let kind = reader.u16()?;
        let len = u32::from(reader.u16()?);
        if len > end - reader.at {
            return Err(HelloError::Malformed);
        }
        let data = reader.span(len)?;
        if let Some(slot) = hello.slot(kind) {
            slot.get_or_insert(data);
        }
    }
    Ok(())
}

impl ClientHello {
    fn slot(&mut self, kind: u16) -> Option<&mut Option<Span>> {
        Some(match kind {
            0 => &mut self.server_name,
            10 => &mut self.groups,
            11 => &mut self.point_formats,
            13 => &mut self.signature_algorithms,
            16 => &mut self.alpn,
            43 => &mut self.versions,
            _ => return None,
        })
    }
}

/// Whether a value was put there to keep receivers tolerant, and says nothing.
///
/// *Source*: RFC 8701 section 2.
#[must_use]
pub const fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::cursor::SliceCursor;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn hello(extensions: Option<&[u8]>) -> Vec<u8> {
        let mut body = std::vec![3, 3];
        body.extend([9; 32]);
        body.extend([2, 8, 8]);
        body.extend([0, 4, 0x13, 0x01, 0x13, 0x02]);
        body.extend([1, 0]);
        if let Some(extensions) = extensions {
            body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
            body.extend(extensions);
        }
        let mut message = std::vec![1, 0];
        message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        message.extend(body);
        message
    }

    fn parsed(bytes: &[u8]) -> Result<ClientHello, HelloError> {
        parse(SliceCursor::new(bytes))
    }

    const EXTENSIONS: [u8; 15] = [0, 0, 0, 0, 0, 13, 0, 4, 0, 2, 8, 4, 0, 13, 0];

    #[test]
    fn parts_are_found_where_they_are() {
        let bytes = hello(Some(&EXTENSIONS[..12]));
        let found = parsed(&bytes).unwrap();
        assert_eq!(found.legacy_version, 0x0303);
        assert_eq!(found.ciphers, Span { start: 43, len: 4 });
        assert_eq!(found.extensions, Some(Span { start: 51, len: 12 }));
        assert_eq!(found.server_name, Some(Span { start: 55, len: 0 }));
        assert_eq!(found.signature_algorithms, Some(Span { start: 59, len: 4 }));
        assert_eq!(found.alpn, None);
    }

    #[test]
    fn a_hello_without_extensions_is_one() {
        assert_eq!(parsed(&hello(None)).unwrap().extensions, None);
        let empty = parsed(&hello(Some(&[]))).unwrap();
        assert_eq!(empty.extensions.map(|s| s.len), Some(0));
    }

    #[test]
    fn every_strict_prefix_is_truncated() {
        let bytes = hello(Some(&EXTENSIONS[..12]));
        for len in 0..bytes.len() {
            assert_eq!(parsed(&bytes[..len]), Err(HelloError::Truncated), "{len} bytes");
        }
    }

    #[test]
    fn lengths_that_do_not_nest_are_malformed() {
        assert_eq!(parsed(&hello(Some(&EXTENSIONS))), Err(HelloError::Malformed));
        let mut half = hello(None);
        half[42] = 3;
        assert_eq!(parsed(&half), Err(HelloError::Malformed));
    }

    #[test]
    fn another_message_is_no_client_hello() {
        assert_eq!(parsed(&[2, 0, 0, 0]), Err(HelloError::NotClientHello));
    }

    #[test]
    fn grease_is_both_bytes_alike_and_ending_in_a() {
        assert!(is_grease(0x0a0a) && is_grease(0xfafa));
        assert!(!is_grease(0x0a1a) && !is_grease(0x1301) && !is_grease(0x0b0b));
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_fail(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parsed(&bytes);
        }

        #[test]
        fn a_mutated_hello_parses_or_fails(at in 0_usize..63, value: u8) {
            let mut bytes = hello(Some(&EXTENSIONS[..12]));
            let at = at % bytes.len();
            bytes[at] = value;
            if let Ok(found) = parsed(&bytes) {
                let end = u32::try_from(bytes.len()).unwrap();
                prop_assert!(found.extensions.is_none_or(|s| s.end() <= end));
            }
        }
    }
}
