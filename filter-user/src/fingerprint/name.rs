//! Names that a client asks for, made safe to be shown.

use super::hex::digit;
use super::list::Lists;

const HOST_NAME: u8 = 0;

/// The first host name of `server_name`, or `None` if there is none or it is empty.
///
/// *Shape*: printable ASCII; every other byte, and the backslash, as `\xNN`. A client
/// chooses these bytes, and they end up in terminals and logs.
///
/// *Source*: RFC 6066 section 3.
#[must_use]
pub fn server_name(lists: &Lists<'_>) -> Option<String> {
    let mut rest = lists.server_name?.get(2..)?;
    while let Some((&[kind, high, low], behind)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes([high, low]));
        let name = behind.get(..len)?;
        if kind == HOST_NAME {
            return shown(name);
        }
        rest = behind.get(len..)?;
    }
    None
}

/// The first protocol of ALPN, or `None` if there is none or it is empty.
///
/// *Shape*: as [`server_name`].
///
/// *Source*: RFC 7301 section 3.1.
#[must_use]
pub fn alpn(lists: &Lists<'_>) -> Option<String> {
    shown(lists.first_protocol())
}

fn shown(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if matches!(byte, b' '..=b'~') && byte != b'\\' {
            text.push(char::from(byte));
        } else {
            text.push_str("\\x");
            text.push(char::from(digit(byte >> 4)));
            text.push(char::from(digit(byte)));
        }
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(shown(b"a b\\\x1b[2J\n\xff").unwrap(), "a b\\x5c\\x1b[2J\\x0a\\xff");
        assert_eq!(shown(b""), None);
    }
}
