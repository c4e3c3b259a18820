use super::*;
use filter_common::abi::rule::RuleKey;

const WHOLE: &str = "ja4:t13d1516h2_8daaf6152771_e5627efa2ab1";

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn rule(expires_unix_ms: Option<u64>) -> HelloRule {
    HelloRule { expires_unix_ms, ..HelloRule::default() }
}

#[test]
fn a_pattern_is_its_text() {
    for text in [
        WHOLE,
        "ja4:*_8daaf6152771_*",
        "ja4:t13d1516h2_*_e5627efa2ab1@tcp/8443",
        "tls:1.0",
        "tls:ssl3@tcp/443",
        "cause:too-many-records",
        "ja4:q13d0310h3_55b375c5d22e_cd85d2d88918",
        "ja4:q13d0310h3_*_*@udp/443",
        "ja4:*_55b375c5d22e_*@udp/443",
        "ja3:773906b0efdefa24a7f2b8eb6985bf37",
        "sni:api.example.com@tcp/443",
        "sni:*.example.com",
        "sni:none",
        "alpn:http/1.1",
        "alpn:none",
        "any@tcp/443",
        "sni:*.none",
    ] {
        assert_eq!(pattern(text).to_string(), text);
    }
}

#[test]
fn what_is_no_pattern_is_told_apart() {
    let tried = |text: &str| text.parse::<Pattern>().unwrap_err().to_string();
    assert!(tried("t13d1516h2_8daaf6152771_e5627efa2ab1").contains("no pattern"));
    assert!(tried("ja5:x").contains("no pattern"));
    assert!(tried("ja4:t13d1516h2_8daaf6152771").contains("no JA4"));
    assert!(tried("ja4:t13d1516h2_8DAAF6152771_*").contains("no JA4"));
    assert!(tried("ja4:*_*_*").contains("every hello"));
    assert!(tried("ja4:t99d1516h2_*_*").contains("no JA4"));
    assert!(tried("ja4:t13x1516h2_*_*").contains("no JA4"));
    assert!(tried("ja4:t13dzz16h2_*_*").contains("no JA4"));
    assert!(tried("tls:1.4").contains("1.3"));
    assert!(tried("cause:truncated").contains("conflict, too-long"));
    assert!(tried("ja4:d13d1516h2_*_*").contains("q (QUIC)"));
    assert!(tried("ja4:q13d1516h2_*_*@udp/0").contains("udp/443"));
    assert!(tried("ja4:q13d1516h2_*_*@sctp/443").contains("udp/443"));
    for mixed in ["ja4:q13d1516h2_*_*@tcp/443", "ja4:t13d1516h2_*_*@udp/443", "tls:1.3@udp/443"] {
        assert!(tried(mixed).contains("mixes TCP and QUIC"), "{mixed}");
    }
    assert!(tried("ja3:773906B0efdefa24a7f2b8eb6985bf37").contains("small letters"));
    assert!(tried("sni:").contains("no name of a server"));
    assert!(tried("sni:a..b").contains("no name of a server"));
    assert!(tried("sni:*.a.b.c.d.e.f.g.h.i").contains("eight labels"));
    assert!(tried("alpn:h 2").contains("no name of a protocol"));
    assert!(tried("tls:1.0@443").contains("tcp/443"));
    assert!(tried("tls:1.0@tcp/0").contains("tcp/443"));
}

#[test]
fn the_kernel_looks_for_the_parts_that_are_said() {
    let whole = pattern(WHOLE).key(7).unwrap();
    assert_eq!((whole.kind, whole.service), (RuleKey::WHOLE, RuleKey::ANY_SERVICE));
    assert_eq!(whole.parts.a, [u64::from_le_bytes(*b"t13d1516"), u64::from(b'h') | 0x3200]);
    assert_eq!((whole.parts.b, whole.parts.c), (0x8daa_f615_2771, 0xe562_7efa_2ab1));
    let some = pattern("ja4:*_8daaf6152771_*@tcp/443").key(7).unwrap();
    assert_eq!((some.kind, some.service), (RuleKey::B, 443));
    assert_eq!(some.parts, whole.parts.masked(RuleKey::B));
    let version = pattern("tls:1.3").key(7).unwrap();
    assert_eq!(version.parts, RuleKey::version(&whole.parts));
}

#[test]
fn numbers_are_used_again_and_a_changed_rule_keeps_its_own() {
    let mut book = RuleBook::default();
    assert_eq!(book.put(pattern("tls:1.0"), rule(None)), Ok(0));
    assert_eq!(book.put(pattern("tls:1.1"), rule(None)), Ok(1));
    assert_eq!(book.put(pattern("tls:1.0"), rule(Some(9))), Ok(0));
    assert!(book.remove(&pattern("tls:1.0")).is_some());
    assert_eq!(book.put(pattern(WHOLE), rule(None)), Ok(0));
    assert_eq!(book.kinds(), RuleKey::bit(RuleKey::WHOLE) | RuleKey::bit(RuleKey::VERSION));
}

#[test]
fn rules_end() {
    let mut book = RuleBook::default();
    book.put(pattern("tls:1.0"), rule(Some(1000))).unwrap();
    book.put(pattern("tls:1.1"), rule(None)).unwrap();
    assert_eq!(book.over(999), []);
    assert_eq!(book.over(1000), [pattern("tls:1.0")]);
}

#[test]
fn there_is_an_end_to_them() {
    let mut book = RuleBook::default();
    for port in 1..=4096 {
        book.put(pattern(&format!("tls:1.0@tcp/{port}")), rule(None)).unwrap();
    }
    assert_eq!(book.put(pattern("tls:1.0"), rule(None)), Err(RuleError::Full));
    book.put(pattern("tls:1.0@tcp/7"), rule(Some(7))).unwrap();
}

#[test]
fn names_are_small_letters_without_the_dot_at_the_end() {
    assert_eq!(pattern("sni:API.Example.com."), pattern("sni:api.example.com"));
    assert_eq!(pattern("sni:a.b").key(7), pattern("sni:A.B").key(7));
    assert_ne!(pattern("sni:a.b").key(7), pattern("sni:a.b").key(8));
    assert_ne!(pattern("sni:a.b").key(7), pattern("sni:*.a.b").key(7));
    assert_ne!(pattern("sni:h2").key(7), pattern("alpn:h2").key(7));
    for (text, same) in
        [("sni:NONE", "sni:none"), ("sni:none.", "sni:none"), ("alpn:None", "alpn:none")]
    {
        assert_eq!((pattern(text), pattern(text).to_string()), (pattern(same), same.to_owned()));
    }
}

#[test]
fn a_ja3_is_learned_by_each_rule_on_it_and_kept_with_the_rule() {
    let mut book = RuleBook::default();
    let text = "ja3:773906b0efdefa24a7f2b8eb6985bf37";
    let (all, one) = (pattern(text), pattern(&format!("{text}@tcp/443")));
    let Target::Ja3(ja3) = all.target else { panic!("no JA3") };
    let learned = Learned::of(5, 77);
    assert_eq!(book.to_learn(&ja3, learned), []);
    for pattern in [&all, &one] {
        book.put(pattern.clone(), rule(None)).unwrap();
        assert_eq!((book.key(pattern, 7), book.kinds()), (None, 0));
    }
    assert_eq!(book.to_learn(&ja3, learned), [all.clone(), one.clone()]);
    book.put(one.clone(), HelloRule { learned: Some(learned), ..rule(None) }).unwrap();
    assert_eq!(book.to_learn(&ja3, learned), std::slice::from_ref(&all));
    assert_eq!(book.to_learn(&ja3, Learned::of(6, 77)).len(), 2);
    assert_eq!(book.learned(&all), Some(learned), "what one knows the others can have");
    let key = book.key(&one, 7).unwrap();
    assert_eq!((key.kind, key.service, key.parts.a), (RuleKey::WIRE, 443, [5, 0]));
    assert_eq!(book.kinds(), RuleKey::bit(RuleKey::WIRE));
    assert!(learned.is_keyed_by(77) && !learned.is_keyed_by(78));
    let written = serde_json::to_string(book.get(&one).unwrap().1).unwrap();
    assert_eq!(serde_json::from_str::<HelloRule>(&written).unwrap().learned, Some(learned));
}

#[test]
fn a_rule_that_limits_names_its_profile() {
    let action: RuleAction = "limit:tools".parse().unwrap();
    let limiting = HelloRule { action, ..HelloRule::default() };
    let placed = |profile| Placed { number: 3, profile, expires_ns: 9 };
    let kernel = limiting.to_kernel(&placed(12));
    assert_eq!((kernel.action, kernel.profile, kernel.number), (Rule::LIMIT, 12, 3));
    assert_eq!(limiting.to_kernel(&placed(0)).action, Rule::NONE);
    let mut book = RuleBook::default();
    book.put(pattern("any"), limiting).unwrap();
    assert_eq!(book.with_limit("tools").collect::<Vec<_>>(), [&pattern("any")]);
    assert_eq!(book.with_limit("other").count(), 0);
    for wrong in ["limit", "limit:", "drop"] {
        assert!(wrong.parse::<RuleAction>().is_err());
    }
}
