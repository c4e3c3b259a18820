//! Reading a line from left to right.

use super::LineError;
use std::borrow::Cow;

/// The rest of a line. What is read is taken off its front.
#[derive(Clone, Debug)]
pub(super) struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    /// A line that hasn't been read yet.
    ///
    /// *Errors*: a raw control byte: no server writes one, whatever a client sends.
    pub(super) fn of(line: &'a [u8]) -> Result<Self, LineError> {
        if line.iter().any(u8::is_ascii_control) {
            return Err(LineError::Control);
        }
        Ok(Self { rest: line })
    }

    /// What hasn't been read.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether all was read.
    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether these bytes come next; they are taken then.
    pub(super) fn take(&mut self, expected: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Bytes that have to come next.
    ///
    /// *Errors*: others do.
    pub(super) fn expect(&mut self, expected: &[u8], what: &'static str) -> Result<(), LineError> {
        if self.take(expected) { Ok(()) } else { Err(LineError::Missing(what)) }
    }

    /// All up to a byte, which is taken as well.
    ///
    /// *Errors*: it doesn't come.
    pub(super) fn until(&mut self, end: u8, what: &'static str) -> Result<&'a [u8], LineError> {
        let at = memchr::memchr(end, self.rest).ok_or(LineError::Missing(what))?;
        let (field, rest) = self.rest.split_at(at);
        self.rest = rest.get(1..).unwrap_or_default();
        Ok(field)
    }

    /// All up to a quote that no backslash stands before; the quote stays.
    ///
    /// *Errors*: there is none.
    pub(super) fn until_quote(&mut self, what: &'static str) -> Result<&'a [u8], LineError> {
        let at = quote(self.rest).ok_or(LineError::Missing(what))?;
        let (field, rest) = self.rest.split_at(at);
        self.rest = rest;
        Ok(field)
    }

    /// A field in quotes, without its escapes.
    ///
    /// *Errors*: it has no quotes around it.
    pub(super) fn quoted(&mut self, what: &'static str) -> Result<Cow<'a, [u8]>, LineError> {
        self.expect(b"\"", what)?;
        let field = self.until_quote(what)?;
        self.rest = self.rest.get(1..).unwrap_or_default();
        Ok(unescaped(field))
    }

    /// The end of the line.
    ///
    /// *Errors*: there is more.
    pub(super) fn end(&self) -> Result<(), LineError> {
        if self.is_empty() { Ok(()) } else { Err(LineError::Trailing) }
    }
}

/// Where the first quote is that no backslash stands before.
fn quote(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// A field without the escapes of nginx (`\xHH`) and Apache (those, and C's).
pub(super) fn unescaped(field: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', field).is_none() {
        return Cow::Borrowed(field);
    }
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, behind)) = rest.split_first() {
        let (byte, behind) = if byte == b'\\' { escape(behind) } else { (byte, behind) };
        plain.push(byte);
        rest = behind;
    }
    Cow::Owned(plain)
}

/// The byte that an escape stands for, and what is behind it. What is no escape stays.
fn escape(rest: &[u8]) -> (u8, &[u8]) {
    let Some((&kind, behind)) = rest.split_first() else {
        return (b'\\', rest);
    };
    match kind {
        b'x' => hex(behind).map_or((b'\\', rest), |byte| (byte, &behind[2..])),
        b'n' => (b'\n', behind),
        b'r' => (b'\r', behind),
        b't' => (b'\t', behind),
        b'b' => (0x08, behind),
        b'v' => (0x0b, behind),
        b'f' => (0x0c, behind),
        b'"' | b'\\' => (kind, behind),
        _ => (b'\\', rest),
    }
}

/// The byte that two hexadecimal digits are.
pub(super) fn hex(digits: &[u8]) -> Option<u8> {
    let digits = digits.get(..2)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

/// A decimal number, without a sign.
///
/// *Errors*: something else.
pub(super) fn number<T: std::str::FromStr>(
    digits: &[u8],
    what: &'static str,
) -> Result<T, LineError> {
    let decimal = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = decimal.then(|| str::from_utf8(digits).ok()).flatten();
    text.and_then(|text| text.parse().ok()).ok_or(LineError::Bad(what))
}

/// A value that std reads: an address.
///
/// *Errors*: something else.
pub(super) fn parse<T: std::str::FromStr>(
    bytes: &[u8],
    what: &'static str,
) -> Result<T, LineError> {
    str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).ok_or(LineError::Bad(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_both_servers_are_undone() {
        assert_eq!(*unescaped(br#"a\x22b\x5C\"\\\n\t"#), *b"a\"b\\\"\\\n\t");
        assert_eq!(*unescaped(br"\x2 \xgg \q \"), *br"\x2 \xgg \q \");
    }

    #[test]
    fn an_escaped_quote_ends_no_field() {
        let mut scan = Scan::of(br#""a\" 200 \\" x"#).unwrap();
        assert_eq!(*scan.quoted("a").unwrap(), *br#"a" 200 \"#);
        assert_eq!(scan.rest(), b" x");
    }

    #[test]
    fn numbers_have_no_signs_and_no_ends() {
        assert_eq!(number::<u16>(b"200", "status"), Ok(200));
        for bad in [&b""[..], b"+1", b"-1", b"70000", b"1 "] {
            assert!(number::<u16>(bad, "status").is_err(), "{bad:?}");
        }
    }
}
