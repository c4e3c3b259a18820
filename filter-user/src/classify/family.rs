//! Browsers, by what their hellos look like.

use super::shape::{Shape, extension, plain};
use filter_common::wire::client_hello::is_grease;
use serde::Deserialize;

/// Browsers with one TLS stack, and so with one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Chrome, Edge, Brave, Opera and others on Chromium: BoringSSL.
    Chromium,
    /// Firefox and Tor Browser: NSS.
    Firefox,
    /// Safari, and what else on Apple's systems uses their own stack: BoringSSL too.
    Safari,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::Safari];

    /// The name that operators see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::Safari => "safari",
        }
    }

    /// The browsers whose clothes a hello wears; whether they are its own is another
    /// question, so this looks at no more than it takes to be taken for one.
    #[must_use]
    pub fn worn_by(shape: &Shape) -> Option<Self> {
        if looks_like_firefox(shape) {
            Some(Self::Firefox)
        } else if looks_like_chromium(shape) {
            Some(Self::Chromium)
        } else if looks_like_safari(shape) {
            Some(Self::Safari)
        } else {
            None
        }
    }

    /// The order of extensions that the stack writes, or wrote before it permuted them.
    ///
    /// *Source*: BoringSSL's `kExtensions`, NSS's `clientHelloSendersTLS`; for Safari, captures.
    #[must_use]
    pub const fn order(self) -> &'static [u16] {
        match self {
            Self::Chromium => &CHROMIUM_ORDER,
            Self::Firefox => &FIREFOX_ORDER,
            Self::Safari => &SAFARI_ORDER,
        }
    }

    /// The first signature algorithms in its hellos, GREASE and ML-DSA aside.
    #[must_use]
    pub const fn first_signatures(self) -> &'static [u16] {
        match self {
            Self::Chromium | Self::Safari => &[0x0403, 0x0804, 0x0401, 0x0503],
            Self::Firefox => &[0x0403, 0x0503, 0x0603, 0x0804],
        }
    }

    /// Cipher suites of its hellos, in their order. Older versions have further ones.
    #[must_use]
    pub const fn ciphers(self) -> &'static [u16] {
        match self {
            Self::Chromium => &CHROMIUM_CIPHERS,
            Self::Firefox => &FIREFOX_CIPHERS,
            Self::Safari => &SAFARI_CIPHERS,
        }
    }

    /// Whether the family's stack puts GREASE into its hellos.
    #[must_use]
    pub const fn greases(self) -> bool {
        !matches!(self, Self::Firefox)
    }
}

/// Nobody but NSS offers delegated credentials.
fn looks_like_firefox(shape: &Shape) -> bool {
    let first = plain(&shape.ciphers).starts_with(&FIREFOX_CIPHERS[..3]);
    shape.has(extension::DELEGATED_CREDENTIALS) || first && shape.has(extension::RECORD_SIZE_LIMIT)
}

/// The list of ciphers is what JA4 knows Chromium by, in any order.
fn looks_like_chromium(shape: &Shape) -> bool {
    let mut ciphers = shape.plain_ciphers();
    ciphers.retain(|&cipher| cipher != TRIPLE_DES);
    ciphers.sort_unstable();
    let mut expected = CHROMIUM_CIPHERS;
    expected.sort_unstable();
    ciphers == expected
        && (shape.has(extension::COMPRESS_CERTIFICATE)
            || shape.has(extension::ALPS)
            || shape.has(extension::ALPS_OLD)
            || shape.ciphers.iter().any(|&cipher| is_grease(cipher)))
}

fn looks_like_safari(shape: &Shape) -> bool {
    let ciphers = shape.plain_ciphers();
    let greased = shape.ciphers.iter().any(|&cipher| is_grease(cipher));
    let behind_tls13 = ciphers.get(3..).unwrap_or_default();
    let starts = behind_tls13.starts_with(&SAFARI_CIPHERS[3..9])
        || behind_tls13.starts_with(&OLD_SAFARI_CIPHERS);
    starts && (greased || ciphers.ends_with(&SAFARI_CIPHERS[17..]))
}

/// Left out of the comparison: Chromium had it until version 93.
const TRIPLE_DES: u16 = 0x000a;

const CHROMIUM_CIPHERS: [u16; 15] = [
    0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
    0x009d, 0x002f, 0x0035,
];
const FIREFOX_CIPHERS: [u16; 15] = [
    0x1301, 0x1303, 0x1302, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc02c, 0xc030, 0xc013, 0xc014, 0x009c,
    0x009d, 0x002f, 0x0035,
];
const SAFARI_CIPHERS: [u16; 20] = [
    0x1301, 0x1302, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8, 0xc00a, 0xc009, 0xc014,
    0xc013, 0x009d, 0x009c, 0x0035, 0x002f, 0xc008, 0xc012, 0x000a,
];
/// Behind those of TLS 1.3, up to Safari 15.3.
const OLD_SAFARI_CIPHERS: [u16; 6] = [0xc02c, 0xc02b, 0xc024, 0xc023, 0xc00a, 0xc009];

const CHROMIUM_ORDER: [u16; 17] = [
    extension::SERVER_NAME,
    extension::EXTENDED_MASTER_SECRET,
    extension::RENEGOTIATION_INFO,
    extension::SUPPORTED_GROUPS,
    extension::EC_POINT_FORMATS,
    extension::SESSION_TICKET,
    extension::ALPN,
    extension::STATUS_REQUEST,
    extension::SIGNATURE_ALGORITHMS,
    extension::SIGNED_CERTIFICATE_TIMESTAMP,
    extension::KEY_SHARE,
    extension::PSK_KEY_EXCHANGE_MODES,
    extension::SUPPORTED_VERSIONS,
    extension::COMPRESS_CERTIFICATE,
    extension::ALPS_OLD,
    extension::PADDING,
    extension::PRE_SHARED_KEY,
];
const FIREFOX_ORDER: [u16; 17] = [
    extension::SERVER_NAME,
    extension::EXTENDED_MASTER_SECRET,
    extension::RENEGOTIATION_INFO,
    extension::SUPPORTED_GROUPS,
    extension::EC_POINT_FORMATS,
    extension::SESSION_TICKET,
    extension::ALPN,
    extension::STATUS_REQUEST,
    extension::DELEGATED_CREDENTIALS,
    extension::SIGNED_CERTIFICATE_TIMESTAMP,
    extension::KEY_SHARE,
    extension::SUPPORTED_VERSIONS,
    extension::SIGNATURE_ALGORITHMS,
    extension::PSK_KEY_EXCHANGE_MODES,
    extension::RECORD_SIZE_LIMIT,
    extension::COMPRESS_CERTIFICATE,
    extension::ENCRYPTED_CLIENT_HELLO,
];
const SAFARI_ORDER: [u16; 14] = [
    extension::SERVER_NAME,
    extension::EXTENDED_MASTER_SECRET,
    extension::RENEGOTIATION_INFO,
    extension::SUPPORTED_GROUPS,
    extension::EC_POINT_FORMATS,
    extension::ALPN,
    extension::STATUS_REQUEST,
    extension::SIGNATURE_ALGORITHMS,
    extension::SIGNED_CERTIFICATE_TIMESTAMP,
    extension::KEY_SHARE,
    extension::PSK_KEY_EXCHANGE_MODES,
    extension::SUPPORTED_VERSIONS,
    extension::COMPRESS_CERTIFICATE,
    extension::PADDING,
];
