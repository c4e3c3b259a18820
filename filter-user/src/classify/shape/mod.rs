//! What the structure of a ClientHello tells of the program that wrote it.

mod read;

use filter_common::wire::client_hello::is_grease;

/// A ClientHello's structure, without names and secrets.
///
/// *Shape*: lists in the order of the wire, GREASE values included. What the client didn't
/// send is empty or `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of the handshake message, its four header bytes included.
    pub message_bytes: usize,
    /// The version before `supported_versions` existed.
    pub legacy_version: u16,
    /// Bytes of the session id.
    pub session_id_bytes: usize,
    /// Cipher suites.
    pub ciphers: Vec<u16>,
    /// Compression methods.
    pub compressions: Vec<u8>,
    /// Types of the extensions.
    pub extensions: Vec<u16>,
    /// `supported_groups`.
    pub groups: Vec<u16>,
    /// `signature_algorithms`.
    pub signatures: Vec<u16>,
    /// `supported_versions`.
    pub versions: Vec<u16>,
    /// Protocols of ALPN.
    pub protocols: Vec<Vec<u8>>,
    /// Protocols of ALPS, of either of its numbers.
    pub settings: Vec<Vec<u8>>,
    /// Algorithms of `compress_certificate`.
    pub certificate_compressions: Vec<u16>,
    /// Groups of `key_share`.
    pub key_shares: Vec<u16>,
    /// Whether the X25519 key of X25519MLKEM768 is that of X25519 too; `None` if there
    /// aren't both.
    pub reuses_x25519: Option<bool>,
    /// `encrypted_client_hello`, real or made up.
    pub ech: Option<Ech>,
}

/// What is visible of `encrypted_client_hello`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ech {
    /// The key derivation.
    pub kdf: u16,
    /// The cipher.
    pub aead: u16,
    /// Bytes of the payload, its tag included.
    pub payload_bytes: usize,
}

/// Numbers of extensions that rules speak of.
///
/// *Source*: IANA, TLS extension type values; for ALPS its draft and BoringSSL's `tls1.h`.
pub mod extension {
    #![expect(missing_docs, reason = "the names are IANA's")]

    pub const SERVER_NAME: u16 = 0;
    pub const STATUS_REQUEST: u16 = 5;
    pub const SUPPORTED_GROUPS: u16 = 10;
    pub const EC_POINT_FORMATS: u16 = 11;
    pub const SIGNATURE_ALGORITHMS: u16 = 13;
    pub const ALPN: u16 = 16;
    pub const STATUS_REQUEST_V2: u16 = 17;
    pub const SIGNED_CERTIFICATE_TIMESTAMP: u16 = 18;
    pub const PADDING: u16 = 21;
    pub const ENCRYPT_THEN_MAC: u16 = 22;
    pub const EXTENDED_MASTER_SECRET: u16 = 23;
    pub const COMPRESS_CERTIFICATE: u16 = 27;
    pub const RECORD_SIZE_LIMIT: u16 = 28;
    pub const DELEGATED_CREDENTIALS: u16 = 34;
    pub const SESSION_TICKET: u16 = 35;
    pub const PRE_SHARED_KEY: u16 = 41;
    pub const SUPPORTED_VERSIONS: u16 = 43;
    pub const PSK_KEY_EXCHANGE_MODES: u16 = 45;
    pub const POST_HANDSHAKE_AUTH: u16 = 49;
    pub const SIGNATURE_ALGORITHMS_CERT: u16 = 50;
    pub const KEY_SHARE: u16 = 51;
    pub const ALPS_OLD: u16 = 17513;
    pub const ALPS: u16 = 17613;
    pub const TRUST_ANCHORS: u16 = 0xca34;
    pub const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
    pub const RENEGOTIATION_INFO: u16 = 0xff01;
}

/// Numbers of groups that rules speak of.
pub mod group {
    #![expect(missing_docs, reason = "the names are IANA's")]

    pub const P256: u16 = 0x17;
    pub const X25519: u16 = 0x1d;
    pub const FFDHE2048: u16 = 0x100;
    pub const X25519_MLKEM768: u16 = 0x11ec;
    pub const X25519_KYBER768: u16 = 0x6399;
}

impl Shape {
    /// Whether it has the extension.
    #[must_use]
    pub fn has(&self, extension: u16) -> bool {
        self.extensions.contains(&extension)
    }

    /// Its cipher suites without GREASE.
    #[must_use]
    pub fn plain_ciphers(&self) -> Vec<u16> {
        plain(&self.ciphers)
    }

    /// Its signature algorithms without GREASE.
    #[must_use]
    pub fn plain_signatures(&self) -> Vec<u16> {
        plain(&self.signatures)
    }

    /// The order of its extensions without GREASE, and without those that come and go
    /// between hellos of one client.
    #[must_use]
    pub fn order(&self) -> Vec<u16> {
        let comes_and_goes = [
            extension::SERVER_NAME,
            extension::PADDING,
            extension::PRE_SHARED_KEY,
            extension::SESSION_TICKET,
        ];
        plain(&self.extensions).into_iter().filter(|v| !comes_and_goes.contains(v)).collect()
    }

    /// Whether a protocol is offered, by ALPN or ALPS.
    #[must_use]
    pub fn offers(&self, protocol: &[u8]) -> bool {
        self.protocols.iter().chain(&self.settings).any(|offered| offered == protocol)
    }
}

/// The values that say something.
#[must_use]
pub fn plain(values: &[u16]) -> Vec<u16> {
    values.iter().copied().filter(|&v| !is_grease(v)).collect()
}

/// The GREASE values.
#[must_use]
pub fn grease(values: &[u16]) -> Vec<u16> {
    values.iter().copied().filter(|&v| is_grease(v)).collect()
}

#[cfg(test)]
pub(super) mod tests;
