//! Prefixes as people write them.

use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;

/// A prefix that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Without host bits; an IPv4-mapped IPv6 prefix as the IPv4 prefix that it names.
    pub prefix: IpNet,
    /// Whether host bits were written and have been cleared.
    pub had_host_bits: bool,
}

/// A text that is no prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no address or prefix, such as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32")]
pub struct PrefixError {
    text: String,
}

/// Characters of a bad text that an error repeats.
const SHOWN: usize = 60;

/// Reads an address or a prefix.
///
/// Host bits are cleared and reported: a list with 192.0.2.1/24 in it means the /24, and
/// refusing it whole would leave the host without the list.
///
/// *Errors*: [`PrefixError`], which repeats the start of the text.
pub fn parse_prefix(text: &str) -> Result<Parsed, PrefixError> {
    let written = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let written = written.map_err(|_| PrefixError { text: text.chars().take(SHOWN).collect() })?;
    let prefix = unmapped(written.trunc());
    Ok(Parsed { prefix, had_host_bits: written.trunc() != written })
}

/// `::ffff:192.0.2.0/120` names 192.0.2.0/24.
fn unmapped(prefix: IpNet) -> IpNet {
    let IpNet::V6(v6) = prefix else {
        return prefix;
    };
    let inner = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    inner.and_then(|(address, len)| Ipv4Net::new(address, len).ok()).map_or(prefix, IpNet::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        parse_prefix(text).map_or_else(|error| error.to_string(), |p| p.prefix.to_string())
    }

    #[test]
    fn addresses_and_prefixes_are_read() {
        assert_eq!(shown("192.0.2.1"), "192.0.2.1/32");
        assert_eq!(shown("2001:db8::/32"), "2001:db8::/32");
        assert_eq!(shown("0.0.0.0/0"), "0.0.0.0/0");
    }

    #[test]
    fn host_bits_are_cleared_and_reported() {
        assert_eq!(shown("192.0.2.77/24"), "192.0.2.0/24");
        assert!(parse_prefix("192.0.2.77/24").unwrap().had_host_bits);
        assert!(!parse_prefix("192.0.2.0/24").unwrap().had_host_bits);
    }

    #[test]
    fn a_mapped_prefix_is_the_one_it_names() {
        assert_eq!(shown("::ffff:192.0.2.0/120"), "192.0.2.0/24");
        assert_eq!(shown("::ffff:192.0.2.9"), "192.0.2.9/32");
        assert_eq!(shown("::/0"), "::/0");
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for bad in
            ["", "192.0.2.0/33", "2001:db8::/129", "192.0.2", "a\0b", "1.2.3.4/-1", "010.0.0.1"]
        {
            assert!(shown(bad).contains("such as"), "{bad:?} gave {}", shown(bad));
        }
        assert!(shown(&"x".repeat(10_000)).len() < 200);
    }
}
