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
    /// What is known of a fingerprint.
    #[must_use]
    pub fn look_up(&self, ja4: &str) -> Option<Known> {
        self.by_ja4.get(ja4).copied()
    }
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
    fn what_a_library_shares_with_a_tool_is_a_library() {
        let shared = Knowledge::default().look_up("t13d311100_e8f1e7e78f70_d41ae481755e").unwrap();
        assert_eq!(shared.kind, Kind::Library);
        assert!(shared.programs.contains("hydra") && shared.programs.contains("urllib"));
    }
}
