//! Prefixes as people write them.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr};

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
#[error(
    "{text:?} is no address or prefix, such as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32{}",
    hint(text)
)]
pub struct PrefixError {
    text: String,
}

impl PrefixError {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.chars().take(SHOWN).collect() }
    }
}

/// Characters of a bad text that an error repeats.
const SHOWN: usize = 60;

/// Reads an address or a prefix.
///
/// Host bits are cleared and reported: a list with 192.0.2.1/24 in it means the /24, and
/// refusing it whole would leave the host without the list.
///
/// *Errors*: [`PrefixError`], which repeats the start of the text. A number with leading
/// zeros is one: some programs read 010 as eight.
pub fn parse_prefix(text: &str) -> Result<Parsed, PrefixError> {
    try_prefix(text.as_bytes()).ok_or_else(|| PrefixError::new(text))
}

/// What [`parse_prefix`] does, of bytes and without an error to build: lists hold millions.
pub(super) fn try_prefix(text: &[u8]) -> Option<Parsed> {
    let written = try_v4(text).or_else(|| try_v6(text))?;
    let prefix = written.trunc();
    Some(Parsed { prefix: unmapped(prefix), had_host_bits: prefix != written })
}

/// Takes half the time of the standard library's parser, which has to look for both
/// families and for text first.
fn try_v4(text: &[u8]) -> Option<IpNet> {
    let (a, text) = take_number(text)?;
    let (b, text) = take_number(text.strip_prefix(b".")?)?;
    let (c, text) = take_number(text.strip_prefix(b".")?)?;
    let (d, text) = take_number(text.strip_prefix(b".")?)?;
    let len = if text.is_empty() { 32 } else { parse_len(text.strip_prefix(b"/")?)? };
    Ipv4Net::new(Ipv4Addr::new(a, b, c, d), len).ok().map(IpNet::V4)
}

fn try_v6(text: &[u8]) -> Option<IpNet> {
    let slash = text.iter().position(|byte| *byte == b'/');
    let len = slash.map_or(Some(128), |slash| parse_len(&text[slash + 1..]))?;
    let address = str::from_utf8(&text[..slash.unwrap_or(text.len())]).ok()?;
    Ipv6Net::new(address.parse().ok()?, len).ok().map(IpNet::V6)
}

/// A prefix length, and nothing else.
fn parse_len(text: &[u8]) -> Option<u8> {
    take_number(text).filter(|(_, rest)| rest.is_empty()).map(|(len, _)| len)
}

/// Reads a number up to 255 off the start of a text, without leading zeros.
#[inline]
fn take_number(text: &[u8]) -> Option<(u8, &[u8])> {
    let (first, mut rest) = take_digit(text)?;
    let mut number = first;
    while let Some((digit, more)) = take_digit(rest) {
        number = number * 10 + digit;
        // Two digits are at least 10, so this ends after three.
        if first == 0 || number > 255 {
            return None;
        }
        rest = more;
    }
    Some((u8::try_from(number).ok()?, rest))
}

#[inline]
fn take_digit(text: &[u8]) -> Option<(u16, &[u8])> {
    let (byte, rest) = text.split_first()?;
    let digit = byte.wrapping_sub(b'0');
    (digit < 10).then_some((u16::from(digit), rest))
}

/// `::ffff:192.0.2.0/120` names 192.0.2.0/24.
pub(super) fn unmapped(prefix: IpNet) -> IpNet {
    let IpNet::V6(v6) = prefix else {
        return prefix;
    };
    let inner = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    inner.and_then(|(address, len)| Ipv4Net::new(address, len).ok()).map_or(prefix, IpNet::from)
}

/// What is wrong with a text that is nearly a prefix.
fn hint(text: &str) -> &'static str {
    let (address, len) = text.split_once('/').unwrap_or((text, "0"));
    match address.parse() {
        Ok(_) if parse_len(len.as_bytes()).is_none() && has_leading_zero(len) => {
            "; drop the leading zeros"
        }
        Ok(IpAddr::V4(_)) => "; an IPv4 length is 0 to 32",
        Ok(IpAddr::V6(_)) => "; an IPv6 length is 0 to 128",
        Err(_) if address.split('.').any(has_leading_zero) => "; drop the leading zeros",
        Err(_) => "",
    }
}

fn has_leading_zero(number: &str) -> bool {
    number.len() > 1 && number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        for bad in
            ["1.2.3.4/+8", "1.2.3.4/", "1.2.3.4/8/9", "1.2.3.4/999", "1.2.3.4 /8", "fe80::1%a"]
        {
            assert!(shown(bad).contains("such as"), "{bad:?} gave {}", shown(bad));
        }
        assert!(shown(&"x".repeat(10_000)).len() < 200);
    }

    #[test]
    fn leading_zeros_are_refused_since_some_read_them_as_octal() {
        for bad in ["010.0.0.0/8", "010.0.0.1", "10.0.0.0/08", "2001:db8::/032", "::ffff:010.0.0.1"]
        {
            assert!(shown(bad).contains("such as"), "{bad:?} gave {}", shown(bad));
        }
        assert!(shown("010.0.0.0/8").contains("leading zeros"));
        assert!(shown("10.0.0.0/08").contains("leading zeros"));
    }

    #[test]
    fn a_length_beyond_its_family_names_the_bound() {
        assert!(shown("192.0.2.0/33").contains("0 to 32"));
        assert!(shown("2001:db8::/129").contains("0 to 128"));
    }

    proptest! {
        #[test]
        fn the_standard_library_reads_the_same_addresses(
            text in "[0-9]{1,3}(\\.[0-9]{1,4}){2,4}|[0-9a-f:]{2,12}|:?[0-9a-f:]{1,9}[0-9.]{7,9}",
        ) {
            let expected = text.parse::<IpAddr>().ok().map(|ip| IpNet::from(ip.to_canonical()));
            prop_assert_eq!(try_prefix(text.as_bytes()).map(|parsed| parsed.prefix), expected);
        }

        #[test]
        fn every_prefix_reads_back(bits: u128, is_v4: bool, len in 0_u8..=128) {
            let ip = if is_v4 { IpAddr::from(((bits >> 96) as u32).to_be_bytes()) } else { bits.to_be_bytes().into() };
            let Ok(written) = IpNet::new(ip, len) else { return Ok(()) };
            let parsed = try_prefix(written.to_string().as_bytes()).unwrap();
            prop_assert_eq!(parsed.prefix, unmapped(written.trunc()));
            prop_assert_eq!(parsed.had_host_bits, written.trunc() != written);
        }
    }
}
