//! The other forms of a JA4.
//!
//! *Source*: FoxIO's technical details of JA4 (BSD-3-Clause); the stable form is our own.

use super::ja4::{self, Transport};
use super::list::Lists;
use serde::{Deserialize, Serialize};

/// Extensions that come and go between connections of the same client: padding, session tickets,
/// pre-shared keys of resumed sessions, and the early data that goes with these.
const FLEETING: [&str; 4] = ["0015", "0023", "0029", "002a"];

/// Extensions that a JA4 doesn't sum: names of servers and protocols.
const NAMES: [&str; 2] = ["0000", "0010"];

/// All forms of one fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forms {
    /// The JA4.
    pub ja4: String,
    /// Before hashing, sorted.
    pub ja4_r: String,
    /// In the order of the wire, hashed.
    pub ja4_o: String,
    /// In the order of the wire, before hashing.
    pub ja4_ro: String,
    /// As the JA4, without padding, session tickets, pre-shared keys and early data: the same for a client's
    /// first hello and for one that resumes a session.
    pub stable: String,
}

/// Writes a hello's lists in the order of the wire, as `JA4_ro` does: what [`Forms`] are made of.
pub(super) fn original(lists: &Lists<'_>, transport: Transport) -> String {
    let (prefix, ciphers, extensions, signatures) = ja4::elements(lists, transport);
    let mut text = String::with_capacity(256);
    text.extend(prefix.map(char::from));
    for list in [&ciphers, &extensions] {
        text.push('_');
        super::hex::push_list(&mut text, list);
    }
    if !signatures.is_empty() {
        text.push('_');
        super::hex::push_list(&mut text, &signatures);
    }
    text
}

impl Forms {
    /// The forms of a hello by its `JA4_ro`; `None` if the text is none.
    #[must_use]
    pub fn of(ja4_ro: &str) -> Option<Self> {
        let mut parts = ja4_ro.splitn(4, '_');
        let (prefix, ciphers, extensions) = (parts.next()?, parts.next()?, parts.next()?);
        let signatures = parts.next();
        let split =
            |list| -> Vec<&str> { str::split(list, ',').filter(|v| !v.is_empty()).collect() };
        let (mut ciphers, mut extensions) = (split(ciphers), split(extensions));
        let hashed = joined(prefix, &ciphers, &extensions, signatures).hashed()?;
        ciphers.sort_unstable();
        extensions.sort_unstable();
        let named: Vec<_> = extensions.iter().copied().filter(|v| !NAMES.contains(v)).collect();
        let sorted = joined(prefix, &ciphers, &named, signatures);
        let (ja4_r, ja4) = (sorted.raw(), sorted.hashed()?);
        let is_lasting = |value: &&str| !FLEETING.contains(value);
        let count = extensions.into_iter().filter(is_lasting).count().min(99);
        let lasting: Vec<_> = named.into_iter().filter(is_lasting).collect();
        let prefix = format!("{}{count:02}{}", prefix.get(..6)?, prefix.get(8..)?);
        let stable = joined(&prefix, &ciphers, &lasting, signatures).hashed()?;
        Some(Self { ja4, ja4_r, ja4_o: hashed, ja4_ro: ja4_ro.to_owned(), stable })
    }
}

/// The parts of a fingerprint before hashing.
struct Joined {
    prefix: String,
    middle: String,
    last: String,
}

fn joined(prefix: &str, ciphers: &[&str], extensions: &[&str], signatures: Option<&str>) -> Joined {
    let mut last = extensions.join(",");
    if let Some(signatures) = signatures {
        last.push('_');
        last.push_str(signatures);
    }
    Joined { prefix: prefix.to_owned(), middle: ciphers.join(","), last }
}

impl Joined {
    fn raw(&self) -> String {
        format!("{}_{}_{}", self.prefix, self.middle, self.last)
    }

    /// `None` if the first part isn't as long as one is.
    fn hashed(&self) -> Option<String> {
        let hash = |text| String::from_utf8(ja4::hash(text).to_vec()).unwrap_or_default();
        (self.prefix.len() == 10)
            .then(|| format!("{}_{}_{}", self.prefix, hash(&self.middle), hash(&self.last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the method's own documentation.
    const ORIGINAL: &str = "t13d1516h2_1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,\
        009c,009d,002f,0035_001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,\
        000a,0015_0403,0804,0401,0503,0805,0501,0806,0601";

    #[test]
    fn the_forms_are_those_of_the_documentation() {
        let forms = Forms::of(ORIGINAL).unwrap();
        assert_eq!(forms.ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
        assert_eq!(forms.ja4_o, "t13d1516h2_acb858a92679_18f69afefd3d");
        assert!(forms.ja4_r.starts_with("t13d1516h2_002f,0035,009c,"));
        assert!(forms.ja4_r.contains("_0005,000a,000b,000d,0012,0015,"));
        assert_eq!(forms.ja4_ro, ORIGINAL);
    }

    #[test]
    fn a_resumed_session_has_the_same_stable_form() {
        let forms = |text: &str| Forms::of(text).unwrap();
        let first = forms(ORIGINAL);
        let resumed = forms(&ORIGINAL.replace("000a,0015_", "000a,0029_"));
        let bare = forms(&ORIGINAL.replace(",0015_", "_").replace("1516", "1515"));
        let early = ORIGINAL.replace("000a,0015_", "000a,002a,0029_").replace("1516", "1517");
        assert_eq!(forms(&early).stable, first.stable);
        assert_ne!(first.ja4, resumed.ja4);
        assert_ne!(first.ja4, bare.ja4);
        assert_eq!(first.stable, resumed.stable);
        assert_eq!(first.stable, bare.stable);
        assert!(first.stable.starts_with("t13d1514h2_8daaf6152771_"));
    }

    #[test]
    fn empty_lists_sum_to_zeroes() {
        let forms = Forms::of("t00i000000__").unwrap();
        assert_eq!(forms.ja4, "t00i000000_000000000000_000000000000");
        for wrong in ["", "t13", "t13d1516h2_1301", "short_1301_0000"] {
            assert_eq!(Forms::of(wrong), None, "{wrong:?}");
        }
    }
}
