//! Which clients are kin: the same library or browser in any version, under any program.

/// Whether two names of clients share a word that names a library or a browser.
///
/// *Shape*: names are words with dashes and underscores between, `curl_cffi-chrome120`; the
/// figures at the end of a word are a version.
pub(super) fn are_kin(left: &str, right: &str) -> bool {
    let right: Vec<String> = words(right).collect();
    words(left).any(|word| right.contains(&word))
}

fn words(name: &str) -> impl Iterator<Item = String> {
    let words = name.split(|character: char| !character.is_ascii_alphanumeric());
    words
        .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_ascii_lowercase())
        .filter(|word| word.len() > 1 && !GENERIC.contains(&word.as_str()))
}

/// Languages, protocols and other words that make nobody kin.
const GENERIC: &[&str] = &[
    "python", "py", "node", "go", "rust", "java", "php", "ruby", "perl", "net", "http", "https",
    "ssl", "tls", "client", "cli", "builtin", "default", "native", "no", "ip", "sni", "title",
    "psk", "ios", "android", "macos", "linux", "windows",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_programs_around_a_library_are_kin() {
        for (left, right) in [
            ("curl_cffi-chrome99", "curl_cffi-chrome150"),
            ("python-urllib", "python-urllib3"),
            ("git-curl-gnutls", "curl-openssl"),
            ("puppeteer-chromium", "chromium-no-mlkem"),
            ("gnutls-cli", "wget-gnutls"),
        ] {
            assert!(are_kin(left, right), "{left} and {right}");
        }
    }

    #[test]
    fn a_language_makes_nobody_kin() {
        assert!(!are_kin("python-aiohttp", "python-requests"));
        assert!(!are_kin("node-http2", "go-net-http"));
    }
}
