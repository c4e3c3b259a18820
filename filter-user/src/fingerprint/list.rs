//! The lists in a ClientHello.

use filter_common::wire::client_hello::{ClientHello, HelloError, Span, parse};
use filter_common::wire::cursor::SliceCursor;
use zerocopy::FromBytes;
use zerocopy::network_endian::U16;

/// What fingerprints and names are made of, as slices of the message.
///
/// *Shape*: in the order of the wire, GREASE values included. What the client didn't send
/// is empty; an extension without any data has an empty list.
#[derive(Clone, Copy, Debug)]
pub struct Lists<'a> {
    /// The version before `supported_versions` existed.
    pub legacy_version: u16,
    /// Cipher suites.
    pub ciphers: &'a [U16],
    /// All extensions, each a type, a length and its data.
    extensions: &'a [u8],
    /// Data of `server_name`; `None` if there is no such extension.
    pub server_name: Option<&'a [u8]>,
    /// `supported_groups`.
    pub groups: &'a [U16],
    /// `ec_point_formats`.
    pub point_formats: &'a [u8],
    /// `signature_algorithms`.
    pub signature_algorithms: &'a [U16],
    /// Protocol names of ALPN, each a length of one byte and the name.
    pub protocols: &'a [u8],
    /// `supported_versions`.
    pub versions: &'a [U16],
}

impl<'a> Lists<'a> {
    /// Reads a ClientHello, its four header bytes first.
    ///
    /// *Errors*: [`HelloError`]. A list whose length doesn't fit its extension is
    /// [`HelloError::Malformed`]: servers refuse such a hello, and readers that go on
    /// disagree about it.
    pub fn parse(message: &'a [u8]) -> Result<Self, HelloError> {
        let hello = parse(SliceCursor::new(message))?;
        Self::of(message, &hello).ok_or(HelloError::Malformed)
    }

    /// The lists at the places where they were found.
    fn of(message: &'a [u8], hello: &ClientHello) -> Option<Self> {
        let data = |span: Option<Span>| slice(message, span.unwrap_or_default());
        Some(Self {
            legacy_version: hello.legacy_version,
            ciphers: numbers(slice(message, hello.ciphers)?)?,
            extensions: data(hello.extensions)?,
            server_name: hello.server_name.and_then(|span| slice(message, span)),
            groups: numbers(behind_u16(data(hello.groups)?)?)?,
            point_formats: behind_u8(data(hello.point_formats)?)?,
            signature_algorithms: numbers(behind_u16(data(hello.signature_algorithms)?)?)?,
            protocols: behind_u16(data(hello.alpn)?)?,
            versions: numbers(behind_u8(data(hello.versions)?)?)?,
        })
    }

    /// The extensions' types.
    pub fn extensions(&self) -> impl Iterator<Item = u16> + use<'a> {
        let mut rest = self.extensions;
        std::iter::from_fn(move || {
            let (&[a, b, c, d], behind) = rest.split_first_chunk()?;
            rest = behind.get(usize::from(u16::from_be_bytes([c, d]))..)?;
            Some(u16::from_be_bytes([a, b]))
        })
    }

    /// How many values all lists have together that fingerprints are made of.
    #[must_use]
    pub fn values(&self) -> usize {
        let extensions = self.extensions().count();
        let summed = self.ciphers.len() + extensions + self.signature_algorithms.len();
        summed + self.versions.len() + self.groups.len() + self.point_formats.len()
    }

    /// The first protocol of ALPN; empty if there is none.
    #[must_use]
    pub fn first_protocol(&self) -> &'a [u8] {
        let Some((&len, names)) = self.protocols.split_first() else {
            return &[];
        };
        names.get(..usize::from(len)).unwrap_or_default()
    }
}

fn slice(message: &[u8], span: Span) -> Option<&[u8]> {
    let start = usize::try_from(span.start).ok()?;
    message.get(start..)?.get(..usize::try_from(span.len).ok()?)
}

fn numbers(bytes: &[u8]) -> Option<&[U16]> {
    <[U16]>::ref_from_bytes(bytes).ok()
}

/// What follows a length of two bytes, if that is all there is.
fn behind_u16(data: &[u8]) -> Option<&[u8]> {
    let Some((len, rest)) = data.split_first_chunk() else {
        return data.is_empty().then_some(data);
    };
    (rest.len() == usize::from(u16::from_be_bytes(*len))).then_some(rest)
}

/// What follows a length of one byte, if that is all there is.
fn behind_u8(data: &[u8]) -> Option<&[u8]> {
    let Some((&len, rest)) = data.split_first() else {
        return Some(data);
    };
    (rest.len() == usize::from(len)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_does_not_fit_is_refused() {
        assert_eq!(behind_u16(&[]), Some(&[][..]));
        assert_eq!(behind_u16(&[0, 2, 8, 4]), Some(&[8, 4][..]));
        assert_eq!(behind_u16(&[0, 4, 8, 4]), None);
        assert_eq!(behind_u16(&[0]), None);
        assert_eq!(behind_u8(&[1, 0]), Some(&[0][..]));
        assert_eq!(behind_u8(&[2, 0]), None);
    }

    #[test]
    fn numbers_come_in_pairs_of_bytes() {
        assert_eq!(numbers(&[1, 2, 3]), None);
        assert_eq!(numbers(&[1, 2]).map(|n| n[0].get()), Some(0x0102));
    }
}
