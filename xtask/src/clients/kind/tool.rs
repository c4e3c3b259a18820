//! Command-line tools, from plain ones to those that measure load.

use super::Kind;
use crate::setup::Need;

pub(super) const ALL: &[Kind] = &[
    Kind::new(
        "curl",
        &[Need::program("curl", "curl")],
        "curl --version",
        r#"curl -q -sS --cacert "$CERT" "$URL""#,
    ),
    Kind::new(
        "wget",
        &[Need::program("wget", "wget")],
        "wget --version | head -n 1",
        r#"wget --no-config -q -O - --ca-certificate="$CERT" "$URL""#,
    ),
    // It finds no repository there, but asks.
    Kind::new(
        "git",
        &[Need::program("git", "git")],
        "git --version",
        r#"git -c http.sslCAInfo="$CERT" ls-remote "$URL""#,
    ),
    Kind::new(
        "openssl s_client",
        &[Need::program("openssl", "openssl")],
        "openssl version",
        r#"printf "$REQUEST" |
            openssl s_client -quiet -connect "$NAME:443" -servername "$NAME" -CAfile "$CERT""#,
    ),
    // This one and the next hang up when their input ends.
    Kind::new(
        "gnutls-cli",
        &[Need::program("gnutls-bin", "gnutls-cli")],
        "gnutls-cli --version",
        r#"{ printf "$REQUEST"; sleep 1; } | gnutls-cli --x509cafile="$CERT" "$NAME""#,
    ),
    Kind::new(
        "socat",
        &[Need::program("socat", "socat")],
        "socat -V | head -n 2",
        r#"{ printf "$REQUEST"; sleep 1; } | socat - "OPENSSL:$NAME:443,cafile=$CERT""#,
    ),
    Kind::new(
        "nmap",
        &[Need::program("nmap", "nmap")],
        "nmap --version",
        r#"nmap -Pn -n -sT -p 443 --script http-title "$NAME""#,
    ),
    Kind::new(
        "wrk",
        &[Need::program("wrk", "wrk")],
        "wrk -v",
        r#"wrk --threads 1 --connections 1 --duration 1 "$URL""#,
    ),
    Kind::new(
        "h2load",
        &[Need::program("nghttp2-client", "h2load")],
        "h2load --version",
        r#"h2load -n 1 -c 1 "$URL""#,
    ),
    Kind::new(
        "siege",
        &[Need::program("siege", "siege")],
        "siege --version",
        r#"siege --reps=1 --concurrent=1 "$URL""#,
    ),
    Kind::new("ab", &[Need::program("apache2-utils", "ab")], "ab -V", r#"ab -n 1 -c 1 "$URL""#),
];
