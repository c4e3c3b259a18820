//! Addresses, prefixes and ranges.

use super::super::prefix::{Parsed, PrefixError, try_prefix, unmapped};
use super::problem::{Problem, shown};
use ipnet::{IpNet, IpSubnets, Ipv4Subnets, Ipv6Subnets};
use std::net::IpAddr;

/// What an entry covers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// One prefix, without host bits.
    One(IpNet),
    /// The fewest prefixes that cover a range, in the order of their addresses.
    Range(IpSubnets),
}

impl Target {
    /// Calls `with` with each prefix.
    pub(super) fn each(&self, mut with: impl FnMut(IpNet)) {
        match self {
            Self::One(prefix) => with(*prefix),
            Self::Range(prefixes) => prefixes.for_each(with),
        }
    }
}

/// How a target is written, cut apart and not yet read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written<'a> {
    /// An address or a prefix.
    One(&'a str),
    /// The ends of a range.
    Range(&'a str, &'a str),
}

impl<'a> Written<'a> {
    /// Cuts a target off the start of a text; says what follows it.
    pub(super) fn split(text: &'a str) -> (Self, &'a str) {
        if let Some((first, rest)) = text.split_once('-') {
            let first = first.trim_ascii();
            // Else the minus is one of a date that follows.
            if !first.contains(is_space) {
                let (last, rest) = split_word(rest.trim_ascii_start());
                return (Self::Range(first, last), rest);
            }
        }
        let (one, rest) = split_word(text);
        (Self::One(one), rest)
    }

    /// Reads it; says whether host bits were cleared.
    pub(super) fn read(self) -> Result<(Target, bool), Problem> {
        match self {
            Self::One(text) => {
                let Parsed { prefix, had_host_bits } =
                    try_prefix(text.as_bytes()).ok_or_else(|| PrefixError::new(text))?;
                Ok((Target::One(prefix), had_host_bits))
            }
            Self::Range(first, last) => Ok((Target::Range(range(first, last)?), false)),
        }
    }
}

/// Reads a text that is one target and nothing else.
pub(super) fn parse(text: &str) -> Result<(Target, bool), Problem> {
    let text = text.trim_ascii();
    match Written::split(text) {
        (written, "") => written.read(),
        _ => Err(PrefixError::new(text).into()),
    }
}

/// Reads the two ends of a range.
///
/// *Errors*: a [`Problem`] when an end is no address, the ends are of two families or in
/// the wrong order, or the range cuts through the IPv4-mapped addresses: what it means for
/// IPv4 is anyone's guess.
pub(super) fn range(first: &str, last: &str) -> Result<IpSubnets, Problem> {
    let end = |text: &str| text.trim_ascii().parse::<IpAddr>().map(|ip| ip.to_canonical());
    let no_range = |text| move |_| Problem::RangeEnd(shown(text));
    let ends = (end(first).map_err(no_range(first))?, end(last).map_err(no_range(last))?);
    let prefixes: IpSubnets = match ends {
        (first, last) if first > last && first.is_ipv4() == last.is_ipv4() => {
            return Err(Problem::RangeOrder(first, last));
        }
        (IpAddr::V4(first), IpAddr::V4(last)) => Ipv4Subnets::new(first, last, 0).into(),
        (IpAddr::V6(first), IpAddr::V6(last)) => Ipv6Subnets::new(first, last, 0).into(),
        (first, last) => return Err(Problem::RangeFamilies(first, last)),
    };
    if prefixes.into_iter().any(|prefix| unmapped(prefix) != prefix) {
        return Err(Problem::RangeMapped(ends.0, ends.1));
    }
    Ok(prefixes)
}

fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(is_space).unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii_start())
}

fn is_space(character: char) -> bool {
    character.is_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn prefixes(text: &str) -> Result<Vec<String>, String> {
        let (target, _) = parse(text).map_err(|problem| problem.to_string())?;
        let mut prefixes = Vec::new();
        target.each(|prefix| prefixes.push(prefix.to_string()));
        Ok(prefixes)
    }

    #[test]
    fn a_range_is_the_fewest_prefixes() {
        assert_eq!(prefixes("192.0.2.1-192.0.2.4").unwrap().len(), 3);
        assert_eq!(prefixes("192.0.2.0 - 192.0.2.255").unwrap(), ["192.0.2.0/24"]);
        assert_eq!(prefixes("0.0.0.0-255.255.255.255").unwrap(), ["0.0.0.0/0"]);
        assert_eq!(prefixes("2001:db8::- 2001:db8::1").unwrap(), ["2001:db8::/127"]);
        assert_eq!(prefixes("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").unwrap(), ["::/0"]);
        assert_eq!(prefixes("192.0.2.7-192.0.2.7").unwrap(), ["192.0.2.7/32"]);
    }

    #[test]
    fn a_mapped_range_is_the_one_it_names() {
        assert_eq!(prefixes("::ffff:192.0.2.0-::ffff:192.0.2.255").unwrap(), ["192.0.2.0/24"]);
        assert_eq!(prefixes("::ffff:192.0.2.0-192.0.2.1").unwrap(), ["192.0.2.0/31"]);
        assert_eq!(prefixes("::ffff:0:0/96").unwrap(), ["0.0.0.0/0"]);
        let error = prefixes("::fffe:0:1-::1:0:0:0").unwrap_err();
        assert!(error.contains("IPv4-mapped"), "{error}");
    }

    #[test]
    fn a_range_that_is_none_says_why() {
        for (bad, why) in [
            ("192.0.2.9-192.0.2.1", "swap"),
            ("2001:db8::9-2001:db8::1", "swap"),
            ("192.0.2.1-2001:db8::1", "one family"),
            ("2001:db8::1-192.0.2.1", "one family"),
            ("192.0.2.0/24-192.0.3.0/24", "FIRST-LAST"),
            ("192.0.2.1-", "FIRST-LAST"),
            ("-192.0.2.1", "FIRST-LAST"),
            ("192.0.2.1-192.0.2.2-192.0.2.3", "FIRST-LAST"),
            ("192.0.2.1/-1", "FIRST-LAST"),
            ("192.0.2.1-192.0.2.2 x", "such as"),
        ] {
            let error = prefixes(bad).unwrap_err();
            assert!(error.contains(why), "{bad:?} gave {error}");
        }
    }

    fn check(first: IpAddr, last: IpAddr) -> Result<(), TestCaseError> {
        let Ok(pieces) = range(&first.to_string(), &last.to_string()) else {
            return Err(TestCaseError::reject("mapped"));
        };
        let pieces: Vec<IpNet> = pieces.collect();
        prop_assert_eq!(pieces[0].network(), first.to_canonical());
        prop_assert_eq!(pieces[pieces.len() - 1].broadcast(), last.to_canonical());
        for pair in pieces.windows(2) {
            prop_assert_eq!(number(pair[0].broadcast()) + 1, number(pair[1].network()));
        }
        // Fewest: no two neighbours are the halves of one prefix.
        prop_assert_eq!(IpNet::aggregate(&pieces).len(), pieces.len());
        Ok(())
    }

    fn number(address: IpAddr) -> u128 {
        match address {
            IpAddr::V4(v4) => u32::from(v4).into(),
            IpAddr::V6(v6) => v6.into(),
        }
    }

    proptest! {
        #[test]
        fn a_v4_range_is_covered_exactly_and_minimally(a: u32, b: u32, near in any::<bool>()) {
            let b = if near { a.saturating_add(b % 1000) } else { b };
            check(Ipv4Addr::from(a.min(b)).into(), Ipv4Addr::from(a.max(b)).into())?;
        }

        #[test]
        fn a_v6_range_is_covered_exactly_and_minimally(a: u128, b: u128, shift in 0_u32..128) {
            let b = a.saturating_add(b >> shift);
            check(Ipv6Addr::from(a).into(), Ipv6Addr::from(b).into())?;
        }
    }
}
