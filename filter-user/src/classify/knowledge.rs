//! What is known of fingerprints before anything was seen.

use std::collections::HashMap;

/// What kind of program sends a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A browser, or one that is remote-controlled.
    Browser,
    /// An HTTP library or client: machines that may well belong here.
    Library,
    /// A scanner, a load generator, a brute-forcer.
    Tool,
}

impl Kind {
    /// The name that operators see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Library => "library",
            Self::Tool => "tool",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::Browser, Self::Library, Self::Tool].into_iter().find(|kind| kind.name() == name)
    }
}

/// What is known of one fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// What kind of program.
    pub kind: Kind,
    /// Which programs.
    pub programs: &'static str,
}

/// Known fingerprints, by JA4.
#[derive(Debug)]
pub struct Knowledge {
    by_ja4: HashMap<&'static str, Known>,
}

const FINGERPRINTS: &str = include_str!("fingerprints.tsv");

impl Default for Knowledge {
    fn default() -> Self {
        Self { by_ja4: FINGERPRINTS.lines().filter_map(parse_line).collect() }
    }
}

impl Knowledge {
    /// What is known of a fingerprint, or of the one that the same program sends when it
    /// is given a name instead of an address.
    #[must_use]
    pub fn look_up(&self, ja4: &str) -> Option<Known> {
        let named = || self.by_ja4.get(with_server_name(ja4)?.as_str());
        self.by_ja4.get(ja4).or_else(named).copied()
    }
}

/// The JA4 of the same hello with a server name: the flag changes, and there is one
/// extension more. The hashes leave that extension out.
fn with_server_name(ja4: &str) -> Option<String> {
    let (start, rest) = ja4.split_at_checked(3)?;
    let (ciphers, rest) = rest.strip_prefix('i')?.split_at_checked(2)?;
    let (extensions, rest) = rest.split_at_checked(2)?;
    let extensions = extensions.parse::<u8>().ok()?.saturating_add(1).min(99);
    Some(format!("{start}d{ciphers}{extensions:02}{rest}"))
}

fn parse_line(line: &'static str) -> Option<(&'static str, Known)> {
    let mut fields = line.split('\t');
    let ja4 = fields.next().filter(|ja4| !ja4.starts_with('#'))?;
    let kind = Kind::of(fields.next()?)?;
    Some((ja4, Known { kind, programs: fields.next()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_file_is_understood() {
        let lines = FINGERPRINTS.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(Knowledge::default().by_ja4.len(), lines);
        assert!(lines > 30);
    }

    #[test]
    fn a_program_is_known_without_a_server_name_too() {
        let knowledge = Knowledge::default();
        let named = knowledge.look_up("t13d4312h1_c7886603b240_b26ce05bbdd6").unwrap();
        let nameless = knowledge.look_up("t13i4311h1_c7886603b240_b26ce05bbdd6");
        assert_eq!(nameless, Some(named));
        assert_eq!(knowledge.look_up("t13i4312h1_c7886603b240_b26ce05bbdd6"), None);
        assert_eq!(knowledge.look_up("t1"), None);
    }

    #[test]
    fn what_a_library_shares_with_a_tool_is_a_library() {
        let shared = Knowledge::default().look_up("t13d311100_e8f1e7e78f70_d41ae481755e").unwrap();
        assert_eq!(shared.kind, Kind::Library);
        assert!(shared.programs.contains("hydra") && shared.programs.contains("urllib"));
    }
}
