//! Kernels by the names of Debian's packages.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A kernel that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The last of a series.
    Series(Series),
    /// The last of all.
    Newest,
}

/// The two numbers that a kernel's features go by, such as 6.12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series(u32, u32);

/// A kernel that Debian has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kernel {
    /// What `uname -r` will say.
    pub(super) release: String,
    pub(super) series: Series,
    /// What its package and modules are spread over.
    pub(super) packages: Vec<String>,
}

impl Series {
    /// Whether the filter has to run there; older kernels have to be refused.
    pub(super) fn is_supported(self) -> bool {
        self >= OLDEST
    }

    fn of(release: &str) -> Option<Self> {
        match numbers(release)[..] {
            [major, minor, _, ..] => Some(Self(major, minor)),
            // The name of a series, without a third number, is a package that only depends
            // on the last of it.
            _ => None,
        }
    }
}

impl Kernel {
    /// The best of the packages that answers what is wanted.
    pub(super) fn choose(wanted: Wanted, packages: &[String]) -> Option<Self> {
        let releases = packages.iter().filter_map(|package| release(package));
        let fitting = releases.filter(|release| match (wanted, Series::of(release)) {
            (_, None) => false,
            (Wanted::Newest, _) => true,
            (Wanted::Series(series), found) => found == Some(series),
        });
        let release = fitting.max_by_key(|release| numbers(release))?;
        Some(Self {
            release: release.to_owned(),
            series: Series::of(release)?,
            packages: packages_of(release, packages),
        })
    }
}

/// Every series that there is, in order.
pub(super) fn series(packages: &[String]) -> Vec<String> {
    let releases = packages.iter().filter_map(|package| release(package));
    let series: BTreeSet<Series> = releases.filter_map(Series::of).collect();
    series.into_iter().map(|series| Wanted::Series(series).to_string()).collect()
}

/// The release in a package's name, without its flavour.
fn release(package: &str) -> Option<&str> {
    PARTS.iter().find_map(|part| package.strip_prefix(part))
}

/// Since 6.19 the image only depends on what holds kernel and modules.
fn packages_of(release: &str, packages: &[String]) -> Vec<String> {
    let names = PARTS.iter().map(|part| format!("{part}{release}"));
    names.filter(|name| packages.contains(name)).collect()
}

/// The numbers of a release, which order it among the others.
fn numbers(release: &str) -> Vec<u32> {
    let release = release.strip_suffix(FLAVOUR).unwrap_or(release);
    let digits = release.split(|character: char| !character.is_ascii_digit());
    digits.filter_map(|digits| digits.parse().ok()).collect()
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == NEWEST {
            return Ok(Self::Newest);
        }
        let numbers = text.split_once('.');
        let numbers = numbers
            .and_then(|(major, minor)| Some(Series(major.parse().ok()?, minor.parse().ok()?)));
        let series = numbers.ok_or(format!("two numbers such as 6.12, or {NEWEST}"))?;
        Ok(Self::Series(series))
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series(Series(major, minor)) => write!(f, "{major}.{minor}"),
            Self::Newest => f.write_str(NEWEST),
        }
    }
}

/// The pattern of the packages' names, for apt.
pub(super) const PATTERN: &str = "^linux-(image|binary|modules)-[0-9].*-cloud-amd64$";

/// What is booted if nothing is asked for: one kernel that has to be refused, the oldest
/// that is supported, the one of Debian's stable release, and the last.
pub(super) const DEFAULT: [&str; 4] = ["5.10", "6.1", "6.12", NEWEST];

const NEWEST: &str = "newest";

/// The first with all that the program calls.
const OLDEST: Series = Series(5, 18);

const FLAVOUR: &str = "-cloud-amd64";
const PARTS: [&str; 3] = ["linux-image-", "linux-binary-", "linux-modules-"];

#[cfg(test)]
mod tests {
    use super::*;

    fn packages() -> Vec<String> {
        let names = [
            "linux-image-5.10.0-46-cloud-amd64",
            "linux-image-6.1-cloud-amd64",
            "linux-image-6.1.0-0.deb11.52-cloud-amd64",
            "linux-image-6.1.0-9-cloud-amd64",
            "linux-image-6.1.0-56-cloud-amd64",
            "linux-image-6.12.90+deb13.1-cloud-amd64",
            "linux-image-6.12.90+deb13-cloud-amd64",
            "linux-binary-7.3.4+deb13-cloud-amd64",
            "linux-image-7.3.4+deb13-cloud-amd64",
            "linux-modules-7.3.4+deb13-cloud-amd64",
            "linux-image-7.3-cloud-amd64",
        ];
        names.map(str::to_owned).to_vec()
    }

    fn choose(wanted: &str) -> Option<Kernel> {
        Kernel::choose(wanted.parse().unwrap(), &packages())
    }

    #[test]
    fn the_last_of_a_series_is_chosen_by_its_numbers() {
        assert_eq!(choose("6.1").unwrap().release, "6.1.0-56-cloud-amd64");
        assert_eq!(choose("6.12").unwrap().release, "6.12.90+deb13.1-cloud-amd64");
        assert_eq!(choose("6.2"), None);
    }

    #[test]
    fn every_series_is_named_once_and_in_order() {
        assert_eq!(series(&packages()), ["5.10", "6.1", "6.12", "7.3"]);
    }

    #[test]
    fn the_newest_comes_with_all_its_packages() {
        let kernel = choose("newest").unwrap();
        assert_eq!(kernel.series, Series(7, 3));
        assert_eq!(kernel.packages.len(), 3);
        assert!(kernel.packages.iter().all(|package| package.ends_with(&kernel.release)));
    }

    #[test]
    fn only_old_kernels_may_refuse() {
        assert!(!choose("5.10").unwrap().series.is_supported());
        assert!(choose("6.1").unwrap().series.is_supported());
    }

    #[test]
    fn what_is_no_series_is_refused() {
        for text in ["6", "6.x", "", "latest", "6.1.2"] {
            assert!(text.parse::<Wanted>().is_err(), "{text}");
        }
        for text in DEFAULT {
            assert_eq!(text.parse::<Wanted>().unwrap().to_string(), text);
        }
    }
}
