//! JA3.
//!
//! *Source*: the method that Salesforce published in 2017 (BSD-3-Clause), with GREASE
//! values left out of ciphers, extensions and groups as its README says.

use super::hex;
use super::list::Lists;
use filter_common::wire::client_hello::is_grease;
use md5::{Digest, Md5};
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A JA3 fingerprint.
///
/// *Shape*: an MD5 sum, shown as 32 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ja3(pub [u8; 16]);

/// Why a text is no JA3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a JA3 has 32 hex digits, such as 773906b0efdefa24a7f2b8eb6985bf37")]
pub struct Ja3Error;

impl Ja3 {
    pub(super) fn of(lists: &Lists<'_>) -> Self {
        Self(Md5::digest(Self::text(lists)).into())
    }

    /// What is hashed: version, ciphers, extensions, groups and point formats.
    #[must_use]
    pub fn text(lists: &Lists<'_>) -> String {
        let mut text = Vec::with_capacity(512);
        hex::push_decimal(&mut text, lists.legacy_version);
        push_list(&mut text, lists.ciphers.iter().map(|v| v.get()));
        push_list(&mut text, lists.extensions());
        push_list(&mut text, lists.groups.iter().map(|v| v.get()));
        push_list(&mut text, lists.point_formats.iter().map(|&v| u16::from(v)));
        // Figures, commas and dashes.
        String::from_utf8(text).unwrap_or_default()
    }
}

/// A comma, and the values with dashes between. No point format is a GREASE value, which
/// are all above 255.
fn push_list(text: &mut Vec<u8>, values: impl Iterator<Item = u16>) {
    text.push(b',');
    for (index, value) in values.filter(|&v| !is_grease(v)).enumerate() {
        if index > 0 {
            text.push(b'-');
        }
        hex::push_decimal(text, value);
    }
}

impl fmt::Display for Ja3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 32];
        hex::write(&mut text, &self.0);
        f.pad(str::from_utf8(&text).unwrap_or_default())
    }
}

impl FromStr for Ja3 {
    type Err = Ja3Error;

    fn from_str(text: &str) -> Result<Self, Ja3Error> {
        let plain = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).map_err(|_| Ja3Error)?;
        plain.then(|| Self(number.to_be_bytes())).ok_or(Ja3Error)
    }
}

impl Serialize for Ja3 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back_is_the_same() {
        let text = "07b4162d4db57554961824a21c4a0fde";
        assert_eq!(text.parse::<Ja3>().unwrap().to_string(), text);
    }

    #[test]
    fn what_is_no_md5_sum_is_refused() {
        for text in ["", "+7b4162d4db57554961824a21c4a0fde", "07b4", "é"] {
            assert_eq!(text.parse::<Ja3>(), Err(Ja3Error), "{text}");
        }
    }
}
