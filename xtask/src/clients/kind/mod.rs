//! Kinds of client: what each needs, and how it asks for a page.

use crate::setup::Need;

mod browser;
mod language;
mod python;
mod tool;

/// A program with a TLS of its own, as a shell runs it.
///
/// Its lines find in the environment: `URL`, `NAME` (the server's), `CERT` (the certificate
/// to trust), `REQUEST` (a request for those that only connect, with its line ends written
/// as `printf` wants them), `TOOLS` (what was built), and an empty `HOME`.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Packages of the distribution.
    pub(super) needs: &'static [Need],
    pub(super) build: Build,
    /// Prints a version, in few lines.
    pub(super) version: &'static str,
    /// Asks for `$URL`, once if it can.
    pub(super) fetch: &'static str,
    /// Whether it is a browser, whose hello doesn't fit into one packet.
    pub(super) browser: bool,
}

/// What has to be made before the client can run.
#[derive(Clone, Copy)]
pub(super) enum Build {
    Nothing,
    /// A shell line that works in `$TOOLS`, which has this file in it.
    Source {
        file: &'static str,
        text: &'static str,
        line: &'static str,
    },
    /// A package from `PyPI`, in a virtual environment.
    Pypi {
        package: &'static str,
        module: &'static str,
    },
}

impl Kind {
    /// A client of which nothing else is needed than what `needs` says.
    const fn new(
        name: &'static str,
        needs: &'static [Need],
        version: &'static str,
        fetch: &'static str,
    ) -> Self {
        Self { name, needs, build: Build::Nothing, version, fetch, browser: false }
    }

    const fn built(self, build: Build) -> Self {
        Self { build, ..self }
    }

    const fn browser(self) -> Self {
        Self { browser: true, ..self }
    }
}

/// Every kind, in the order in which they are tried.
pub(super) fn all() -> impl Iterator<Item = &'static Kind> {
    tool::ALL.iter().chain(language::ALL).chain(python::ALL).chain(browser::ALL)
}

/// The first thing in a text that looks like a version, from its first digit on.
pub(super) fn version_in(text: &str) -> Option<&str> {
    text.split([' ', '\n', '/', ',']).find_map(|word| {
        let start = word.find(|letter: char| letter.is_ascii_digit())?;
        let version = &word[start..];
        let (major, rest) = version.split_once('.')?;
        let numbers = major.bytes().all(|byte| byte.is_ascii_digit());
        (numbers && rest.starts_with(|letter: char| letter.is_ascii_digit())).then_some(version)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = all().map(|kind| kind.name).collect();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn versions_are_found_in_what_programs_say() {
        let said = [
            ("curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 OpenSSL/3.0.17", "7.88.1"),
            ("wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012", "4.1.0-3+b2"),
            ("go version go1.19.8 linux/amd64", "1.19.8"),
            ("v20.20.2\n", "20.20.2"),
            ("Mozilla Firefox 153.7.0esr", "153.7.0esr"),
            ("This is ApacheBench, Version 2.3 <$Revision: 1903618 $>", "2.3"),
            ("openjdk 17.0.15 2025-04-15\nOpenJDK Runtime", "17.0.15"),
        ];
        for (text, version) in said {
            assert_eq!(version_in(text), Some(version));
        }
    }

    #[test]
    fn what_has_no_version_has_none() {
        assert_eq!(version_in("sh: 1: siege: not found"), None);
        assert_eq!(version_in(""), None);
    }
}
