//! Browsers, without a window.

use super::Kind;
use crate::setup::Need;

pub(super) const ALL: &[Kind] = &[
    // It isn't told to trust the certificate but not to mind: that changes nothing in its
    // hello, and it has no file of certificates.
    Kind::new(
        "Chromium",
        &[Need::program("chromium", "chromium")],
        "chromium --no-sandbox --version",
        r#"chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage \
            --disable-quic --no-first-run --disable-background-networking \
            --disable-component-update --disable-sync --ignore-certificate-errors \
            --user-data-dir="$HOME/profile" --dump-dom "$URL""#,
    )
    .browser(),
    // The exception is the one that a user makes who clicks the warning away.
    Kind::new(
        "Firefox ESR",
        &[Need::program("firefox-esr", "firefox-esr"), Need::program("openssl", "openssl")],
        "firefox-esr --version",
        r#"mkdir "$HOME/profile"
            fingerprint=$(openssl x509 -in "$CERT" -noout -fingerprint -sha256 | cut -d= -f2)
            printf '%s:443:\tOID.2.16.840.1.101.3.4.2.1\t%s\t\n' "$NAME" "$fingerprint" \
                >"$HOME/profile/cert_override.txt"
            firefox-esr --headless --no-remote --profile "$HOME/profile" \
                --screenshot "$HOME/page.png" "$URL""#,
    )
    .browser(),
];
