//! Rules on hellos over QUIC: the daemon looks for them, in the order in which the kernel does
//! for TCP.

use super::{HelloRule, Pattern, RuleBook, Target};

/// A rule that is about a hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The rule.
    pub pattern: Pattern,
    /// Its number.
    pub number: u32,
    /// Whether it only counts.
    pub shadow: bool,
}

/// Which parts of a JA4 are looked for: all, then two, then one.
const MASKS: [[bool; 3]; 7] = [
    [true, true, true],
    [false, true, true],
    [true, false, true],
    [true, true, false],
    [false, false, true],
    [false, true, false],
    [true, false, false],
];

impl RuleBook {
    /// The rules about a hello over QUIC to this port: the most exact one first, and of two alike
    /// the one for the service alone. The first that isn't in shadow is the last.
    #[must_use]
    pub fn about_quic(&self, ja4: &str, port: u16, unix_ms: u64) -> Vec<Match> {
        let parts: Vec<&str> = ja4.split('_').collect();
        let &[a, b, c] = parts.as_slice() else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for mask in MASKS {
            let [a, b, c] = [(a, mask[0]), (b, mask[1]), (c, mask[2])]
                .map(|(part, is_said)| is_said.then(|| part.to_owned()));
            for port in [Some(port), None] {
                let target = Target::Quic([a.clone(), b.clone(), c.clone()]);
                let pattern = Pattern { target, port };
                let Some((number, rule)) = self.in_force(&pattern, unix_ms) else {
                    continue;
                };
                let shadow = rule.shadow;
                found.push(Match { pattern, number, shadow });
                if !shadow {
                    return found;
                }
            }
        }
        found
    }

    fn in_force(&self, pattern: &Pattern, unix_ms: u64) -> Option<(u32, &HelloRule)> {
        self.get(pattern).filter(|(_, rule)| !rule.is_over(unix_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JA4: &str = "q13d0310h3_55b375c5d22e_cd85d2d88918";

    fn book(rules: &[(&str, bool)]) -> RuleBook {
        let mut book = RuleBook::default();
        for (pattern, shadow) in rules {
            let rule = HelloRule { shadow: *shadow, ..HelloRule::default() };
            book.put(pattern.parse().unwrap(), rule).unwrap();
        }
        book
    }

    fn found(rules: &[(&str, bool)], port: u16) -> Vec<String> {
        let found = book(rules).about_quic(JA4, port, 0);
        found.iter().map(|found| found.pattern.to_string()).collect()
    }

    #[test]
    fn each_kind_of_pattern_is_found() {
        for pattern in [
            "ja4:q13d0310h3_55b375c5d22e_cd85d2d88918",
            "ja4:q13d0310h3_*_cd85d2d88918@udp/443",
            "ja4:q13d0310h3_55b375c5d22e_*",
            "ja4:q13d0310h3_*_*",
            "ja4:*_55b375c5d22e_*@udp/443",
            "ja4:*_*_cd85d2d88918@udp/443",
            "ja4:*_55b375c5d22e_cd85d2d88918@udp/443",
        ] {
            assert_eq!(found(&[(pattern, false)], 443), [pattern]);
        }
    }

    #[test]
    fn others_are_not() {
        for pattern in [
            "ja4:q13d0310h3_*_*@udp/8443",
            "ja4:q13d0311h3_*_*",
            "ja4:t13d0310h3_*_*",
            "ja4:*_55b375c5d22e_*",
            "ja4:*_55b375c5d22e_*@tcp/443",
            "tls:1.3",
        ] {
            assert!(found(&[(pattern, false)], 443).is_empty(), "{pattern}");
        }
        assert!(book(&[]).about_quic("no JA4", 443, 0).is_empty());
    }

    #[test]
    fn the_most_exact_decides_and_a_shadow_hides_nothing() {
        let (whole, first, service) = (
            "ja4:q13d0310h3_55b375c5d22e_cd85d2d88918",
            "ja4:q13d0310h3_*_*",
            "ja4:q13d0310h3_*_*@udp/443",
        );
        assert_eq!(found(&[(first, false), (whole, false)], 443), [whole]);
        assert_eq!(found(&[(first, false), (whole, true)], 443), [whole, first]);
        assert_eq!(found(&[(first, false), (service, false)], 443), [service]);
        assert_eq!(found(&[(first, false), (service, false)], 8443), [first]);
    }

    #[test]
    fn one_that_has_ended_is_not_found() {
        let mut book = RuleBook::default();
        let rule = HelloRule { expires_unix_ms: Some(1000), ..HelloRule::default() };
        book.put("ja4:q13d0310h3_*_*".parse().unwrap(), rule).unwrap();
        assert_eq!(book.about_quic(JA4, 443, 999).len(), 1);
        assert!(book.about_quic(JA4, 443, 1000).is_empty());
    }
}
