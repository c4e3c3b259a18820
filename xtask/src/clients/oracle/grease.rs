//! JA4 leaves GREASE out; tshark 4.4 keeps it in the signature algorithms, where Chrome 152
//! and later put it, so that each of their hellos has another JA4 there.
//!
//! The raw form is tshark's all the same: what is in it, and its order, are not touched.
//!
//! *Source*: FoxIO, "JA4: TLS Client Fingerprinting": GREASE values are ignored anywhere.

/// What the third part of a JA4 is the hash of, without GREASE, from its raw form; nothing
/// if there is no GREASE in it.
pub(super) fn third_part_without(raw: &str) -> Option<String> {
    let mut parts = raw.split('_').skip(2);
    let (extensions, algorithms) = (parts.next()?, parts.next()?);
    if !algorithms.split(',').any(is_grease) {
        return None;
    }
    let kept: Vec<&str> = algorithms.split(',').filter(|value| !is_grease(value)).collect();
    Some(if kept.is_empty() {
        extensions.to_owned()
    } else {
        format!("{extensions}_{}", kept.join(","))
    })
}

/// The JA4 with another third part.
pub(super) fn with_third_part(ja4: &str, third: &str) -> String {
    let rest = ja4.rsplit_once('_').map_or(ja4, |(rest, _)| rest);
    format!("{rest}_{third}")
}

/// RFC 8701: `0a0a`, `1a1a`, and so on.
fn is_grease(value: &str) -> bool {
    u16::from_str_radix(value, 16).is_ok_and(|value| {
        let [high, low] = value.to_be_bytes();
        high == low && low & 0x0f == 0x0a
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grease_among_signature_algorithms_goes() {
        let raw = "t13d0202h2_1301,1302_000a,000d_9a9a,0403,0804";
        assert_eq!(third_part_without(raw).as_deref(), Some("000a,000d_0403,0804"));
        let last = "t13d0202h2_1301,1302_000a,000d_0403,baba";
        assert_eq!(third_part_without(last).as_deref(), Some("000a,000d_0403"));
    }

    #[test]
    fn grease_alone_leaves_the_extensions() {
        assert_eq!(third_part_without("t13d0101h2_1301_000d_0a0a").as_deref(), Some("000d"));
    }

    #[test]
    fn what_only_looks_like_it_stays() {
        for algorithms in ["0a1a", "1010", "0a0b", "0403,0804", ""] {
            let raw = format!("t13d0101h2_1301_000d_{algorithms}");
            assert_eq!(third_part_without(&raw), None, "{algorithms}");
        }
        assert_eq!(third_part_without("t13d0101h2_1301_0a0a"), None, "no algorithms");
    }

    #[test]
    fn the_other_parts_of_the_fingerprint_stay() {
        assert_eq!(with_third_part("t13d_aa_bb", "cc"), "t13d_aa_cc");
    }
}
