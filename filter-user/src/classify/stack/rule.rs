//! What each stack writes that no other does.
//!
//! Each rule names what it looks at in its stack's source. The first that holds counts: those
//! on signature algorithms come first, as few programs change these, then those on the order
//! of extensions and ciphers.

use super::Stack;
use crate::classify::shape::{Shape, extension, grease, plain};

/// A stack's mark.
pub(super) struct Rule {
    /// Whose.
    pub(super) stack: Stack,
    /// What it is, for people.
    pub(super) mark: &'static str,
    /// Whether a hello has it.
    pub(super) holds: fn(&Shape) -> bool,
}

pub(super) const RULES: &[Rule] = &[
    // Go: `defaultSupportedSignatureAlgorithms` in crypto/tls.
    Rule {
        stack: Stack::Go,
        mark: "RSA-PSS before ECDSA before Ed25519 in its signature algorithms",
        holds: |shape| signs(shape, &[0x0804, 0x0403, 0x0807, 0x0805, 0x0806]),
    },
    // libsoup: `soup-connection.c` offers three protocols.
    Rule {
        stack: Stack::LibSoup,
        mark: "GnuTLS' signature algorithms, and HTTP/1.0 behind HTTP/2 in ALPN",
        holds: |shape| is_gnutls(shape) && shape.offers(b"h2") && shape.offers(b"http/1.0"),
    },
    Rule {
        stack: Stack::GnuTls,
        mark: "signature algorithms by strength, or AES-CCM fourth among its ciphers",
        holds: is_gnutls,
    },
    // OpenSSL: `ext_defs` in ssl/statem/extensions.c.
    Rule {
        stack: Stack::OpenSsl,
        mark: "point formats before groups, and TLS 1.3",
        holds: |shape| points_before_groups(shape) && shape.has(extension::SUPPORTED_VERSIONS),
    },
    Rule {
        stack: Stack::OldOpenSsl,
        mark: "point formats before groups, and no TLS 1.3",
        holds: points_before_groups,
    },
    // JSSE: `SSLExtension` in sun.security.ssl.
    Rule {
        stack: Stack::Jsse,
        mark: "status_request_v2 or signature_algorithms_cert, and the renegotiation cipher",
        holds: is_jsse,
    },
    // rustls: `DEFAULT_CIPHER_SUITES` of its providers.
    Rule {
        stack: Stack::Rustls,
        mark: "AES-256 first, the renegotiation cipher last, and nine ciphers at most between",
        holds: is_rustls,
    },
    Rule { stack: Stack::Schannel, mark: "Windows' order of ciphers", holds: is_schannel },
    // Mbed TLS: `ssl_preset_default_sig_algs` and `ssl_tls12_preset_default_sig_algs`.
    Rule {
        stack: Stack::MbedTls,
        mark: "ECDSA and RSA in turn from SHA-512 down in its signature algorithms",
        holds: |shape| signs(shape, &[0x0603, 0x0601, 0x0503]) || signs(shape, &[0x0603, 0x0806]),
    },
    // NSS: `ssl_cipher_suites` in sslenum.c.
    Rule {
        stack: Stack::Nss,
        mark: "ChaCha20 second among the ciphers of TLS 1.3, without Firefox' extensions",
        holds: |shape| plain(&shape.ciphers).starts_with(&[0x1301, 0x1303, 0x1302, 0xc02b]),
    },
    // BoringSSL: `kExtensions` in ssl/extensions.cc.
    Rule {
        stack: Stack::BoringSsl,
        mark: "BoringSSL's order of extensions or its signature algorithms, without GREASE",
        holds: is_boringssl,
    },
    Rule {
        stack: Stack::Other,
        mark: "what browsers gave up: old ciphers, compression, TLS 1.2 alone, or no extensions",
        holds: is_no_browser,
    },
];

fn signs(shape: &Shape, first: &[u16]) -> bool {
    plain(&shape.signatures).starts_with(first)
}

/// GnuTLS: `cs_sort` and `default_sign_priority` in lib/priority.c.
fn is_gnutls(shape: &Shape) -> bool {
    signs(shape, &[0x0401, 0x0809, 0x0804, 0x0403])
        || shape.ciphers.starts_with(&[0x1302, 0x1303, 0x1301, 0x1304])
}

/// At the start, where only a name and what renegotiation needs may stand before.
fn points_before_groups(shape: &Shape) -> bool {
    let order = plain(&shape.extensions);
    let at = order.iter().position(|&kind| kind == extension::EC_POINT_FORMATS);
    at.is_some_and(|at| at <= 3 && order.get(at + 1) == Some(&extension::SUPPORTED_GROUPS))
}

fn is_jsse(shape: &Shape) -> bool {
    let own =
        shape.has(extension::STATUS_REQUEST_V2) || shape.has(extension::SIGNATURE_ALGORITHMS_CERT);
    own && grease(&shape.ciphers).is_empty()
}

fn is_rustls(shape: &Shape) -> bool {
    let ciphers = &shape.ciphers;
    let first = ciphers.starts_with(&[0x1302, 0x1301]) || ciphers.starts_with(&[0x1301, 0x1302]);
    let few = ciphers.len() <= 10 && !ciphers.iter().any(|cipher| (0x0001..SCSV).contains(cipher));
    first && (few && ciphers.ends_with(&[SCSV]) || ciphers.len() <= 3)
}

fn is_schannel(shape: &Shape) -> bool {
    let ciphers = &shape.ciphers;
    let behind_tls13 = ciphers.strip_prefix(&[0x1302, 0x1301]).unwrap_or(ciphers);
    let modern = behind_tls13.starts_with(&[0xc02c, 0xc02b, 0xc030, 0xc02f]);
    let behind = behind_tls13.get(4..).unwrap_or_default();
    modern && (behind.starts_with(&[0xc024, 0xc023]) || behind.starts_with(&[0x009f, 0x009e]))
}

/// The order that it writes where nobody asked it to permute, or, where somebody did,
/// the algorithms that it signs with.
fn is_boringssl(shape: &Shape) -> bool {
    let order = shape.order();
    let start = [
        extension::EXTENDED_MASTER_SECRET,
        extension::RENEGOTIATION_INFO,
        extension::SUPPORTED_GROUPS,
        extension::EC_POINT_FORMATS,
    ];
    let plain_tls13 = plain(&shape.ciphers).starts_with(&[0x1301, 0x1302, 0x1303]);
    grease(&shape.ciphers).is_empty()
        && (order.starts_with(&start)
            || plain_tls13 && signs(shape, &[0x0403, 0x0804, 0x0401, 0x0503, 0x0805]))
}

/// Chromium, Firefox and Safari all send an extension in the place of the renegotiation
/// cipher, put GREASE or delegated credentials into their hellos, speak TLS 1.3, and offer
/// neither CCM, Camellia, ARIA, finite-field ciphers with GCM nor compression.
fn is_no_browser(shape: &Shape) -> bool {
    let given_up = |cipher: &u16| {
        matches!(*cipher, 0x1304 | 0x1305 | SCSV | 0x0001..=0x0009 | 0x000b..=0x002e | 0x0040..=0x006d
            | 0x0084..=0x009b | 0x009e..=0x00c5 | 0xc03c..=0xc0af | 0xccaa..=0xccae)
    };
    let greased = !grease(&shape.ciphers).is_empty() || !grease(&shape.extensions).is_empty();
    shape.ciphers.iter().any(given_up)
        || shape.compressions.iter().any(|&method| method != 0)
        || shape.has(extension::ENCRYPT_THEN_MAC)
        || !greased && !shape.versions.contains(&0x0304)
        || shape.extensions.is_empty()
        || !greased && !shape.has(extension::COMPRESS_CERTIFICATE)
}

/// `TLS_EMPTY_RENEGOTIATION_INFO_SCSV`.
const SCSV: u16 = 0x00ff;
