//! A shape out of the bytes of a ClientHello.

use super::{Ech, Shape, extension, group};
use filter_common::wire::client_hello::{ClientHello, HelloError, Span, parse};
use filter_common::wire::cursor::SliceCursor;

/// Bytes of the header, the version and the random value, in front of the session id.
const SESSION_ID_AT: usize = 38;

/// Bytes of an X25519 key, and of the X25519MLKEM768 share that ends with one.
const X25519_BYTES: usize = 32;

/// Numbers of a list that are kept: more than any client sends. What makes up longer ones is told
/// by these.
const MOST_NUMBERS: usize = 512;

/// Names and key shares that are kept, and bytes of a name.
const MOST_NAMES: usize = 8;
const MOST_OF_A_NAME: usize = 32;

impl Shape {
    /// Reads a ClientHello.
    ///
    /// *Shape*: `message` is the whole handshake message, its four header bytes included. An
    /// extension whose data doesn't fit its format counts as sent, with nothing in it.
    ///
    /// *Errors*: [`HelloError`].
    pub fn read(message: &[u8]) -> Result<Self, HelloError> {
        let hello = parse(SliceCursor::new(message))?;
        let mut shape = Self {
            message_bytes: message.len(),
            legacy_version: hello.legacy_version,
            session_id_bytes: message.get(SESSION_ID_AT).copied().unwrap_or_default().into(),
            ciphers: numbers(slice(message, hello.ciphers)),
            compressions: compressions(message, &hello).to_vec(),
            ..Self::default()
        };
        let mut rest = slice(message, hello.extensions.unwrap_or_default());
        while let Some((kind, data, behind)) = split_extension(rest) {
            if !shape.has(kind) {
                shape.take(kind, data);
            }
            shape.extensions.push(kind);
            rest = behind;
        }
        Ok(shape)
    }

    fn take(&mut self, kind: u16, data: &[u8]) {
        match kind {
            extension::SUPPORTED_GROUPS => self.groups = numbers(behind_u16(data)),
            extension::SIGNATURE_ALGORITHMS => self.signatures = numbers(behind_u16(data)),
            extension::SUPPORTED_VERSIONS => self.versions = numbers(behind_u8(data)),
            extension::ALPN => self.protocols = names(behind_u16(data)),
            extension::ALPS | extension::ALPS_OLD => self.settings = names(behind_u16(data)),
            extension::COMPRESS_CERTIFICATE => {
                self.certificate_compressions = numbers(behind_u8(data));
            }
            extension::KEY_SHARE => self.take_key_shares(behind_u16(data)),
            extension::ENCRYPTED_CLIENT_HELLO => self.ech = ech(data),
            _ => {}
        }
    }

    fn take_key_shares(&mut self, mut rest: &[u8]) {
        let mut keys: [Option<&[u8]>; 2] = [None; 2];
        while self.key_shares.len() < MOST_NAMES
            && let Some((group, key, behind)) = split_extension(rest)
        {
            self.key_shares.push(group);
            match group {
                group::X25519 => keys[0] = Some(key),
                group::X25519_MLKEM768 => {
                    keys[1] = key.last_chunk::<X25519_BYTES>().map(<[u8; X25519_BYTES]>::as_slice);
                }
                _ => {}
            }
            rest = behind;
        }
        if let [Some(plain), Some(hybrid)] = keys {
            self.reuses_x25519 = Some(plain == hybrid);
        }
    }
}

fn compressions<'a>(message: &'a [u8], hello: &ClientHello) -> &'a [u8] {
    let end = usize::try_from(hello.ciphers.start + hello.ciphers.len).unwrap_or(usize::MAX);
    let rest = message.get(end..).unwrap_or_default();
    let len = rest.first().copied().unwrap_or_default();
    rest.get(1..=usize::from(len)).unwrap_or_default()
}

/// A number, what is of the length behind it, and the rest: extensions and key shares alike.
fn split_extension(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (&[a, b, c, d], rest) = bytes.split_first_chunk()?;
    let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([c, d])))?;
    Some((u16::from_be_bytes([a, b]), data, rest))
}

/// *Source*: RFC 9849 section 5, the outer form: type, KDF, AEAD, config id, key, payload.
fn ech(data: &[u8]) -> Option<Ech> {
    let (&[0, kdf_high, kdf_low, aead_high, aead_low, _, key_high, key_low], rest) =
        data.split_first_chunk()?
    else {
        return None;
    };
    let rest = rest.get(usize::from(u16::from_be_bytes([key_high, key_low]))..)?;
    let (len, payload) = rest.split_first_chunk()?;
    (payload.len() == usize::from(u16::from_be_bytes(*len))).then_some(Ech {
        kdf: u16::from_be_bytes([kdf_high, kdf_low]),
        aead: u16::from_be_bytes([aead_high, aead_low]),
        payload_bytes: payload.len(),
    })
}

fn slice(message: &[u8], span: Span) -> &[u8] {
    let start = usize::try_from(span.start).unwrap_or(usize::MAX);
    let len = usize::try_from(span.len).unwrap_or(usize::MAX);
    message.get(start..).and_then(|rest| rest.get(..len)).unwrap_or_default()
}

fn behind_u16(data: &[u8]) -> &[u8] {
    data.get(2..).unwrap_or_default()
}

fn behind_u8(data: &[u8]) -> &[u8] {
    data.get(1..).unwrap_or_default()
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes
        .chunks_exact(2)
        .take(MOST_NUMBERS)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect()
}

/// Names of a length byte each, up to one that doesn't fit.
fn names(mut rest: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    while names.len() < MOST_NAMES
        && let Some((name, behind)) =
            rest.split_first().and_then(|(&len, rest)| rest.split_at_checked(usize::from(len)))
    {
        names.push(name.iter().copied().take(MOST_OF_A_NAME).collect());
        rest = behind;
    }
    names
}
